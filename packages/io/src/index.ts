export type { CkptFile, Stream } from './file.ts';
export { MemoryFile, type MemoryFileOptions } from './memory-file.ts';
export { ckptKread, ckptKwrite } from './transfer.ts';
export { ckptHdrGet, ckptHdrGetType, ckptHdrPut } from './record-memory.ts';
export { ckptWriteBuffer, ckptWriteObj, ckptWriteObjType, ckptWriteString } from './write.ts';
export { _ckptReadBuffer, _ckptReadObj, _ckptReadObjType, _ckptReadString } from './read-into.ts';
export {
  ckptReadBufType,
  ckptReadObj,
  ckptReadObjType,
  ckptReadPayload,
  ckptReadString,
} from './read-new.ts';
export { ckptReadConsume } from './consume.ts';
export { readHeader, type RecordHeader } from './header.ts';
export { copyPayload, skipPayload } from './skip.ts';
export { walkRecords } from './walk.ts';
export { clipText, decodeText, encodeText } from './text.ts';
