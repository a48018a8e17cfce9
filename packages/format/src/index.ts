export { capabilityName } from './capabilities.ts';
export { recordKind, recordKinds, recordName, type RecordKind } from './catalogue.ts';
export { crc32c } from './crc32c.ts';
export { describe, jsonValue, type Described } from './describe.ts';
export { ckptValidateErrno, errnoByName, errnoMax, errnoName, type ErrnoName } from './errno.ts';
export { CkptError, type CkptErrorOptions } from './error.ts';
export { bytes, i32, i64, reserved, u16, u32, u64, u8, type Field } from './field.ts';
export { after, array, maybe, payload } from './follow.ts';
export { generate, seeded, type GenerateOptions, type Random } from './generate.ts';
export type { Codec, Placed } from './layout.ts';
export {
  linuxCrArchs,
  linuxCrCheckpointFlags,
  linuxCrFiles,
  linuxCrNetdevs,
  linuxCrObjects,
  linuxCrRecords,
  linuxCrRestartBlocks,
  linuxCrRestartFlags,
  linuxCrVmas,
} from './linux-cr.ts';
export {
  address,
  byteSize,
  capabilities,
  decimal,
  device,
  flags,
  hex,
  limit,
  microseconds,
  nanoseconds,
  nanotime,
  objref,
  octal,
  oneOf,
  signal,
  signals,
  text,
  time,
  truth,
  uuid,
  type EnumNotation,
  type FlagsNotation,
  type Notation,
} from './notation.ts';
export { formatValue } from './show.ts';
export { signalMax, signalName, signalNumbers } from './signals.ts';
export {
  headerSize,
  record,
  struct,
  type Follower,
  type Infer,
  type RecordType,
  type Struct,
} from './struct.ts';
export { escapeBytes, escapeText } from './text.ts';
export { ArrayHeader } from './records/array.ts';
export {
  CHECKPOINT_FD_NONE,
  CHECKPOINT_MAGIC_HEAD,
  CHECKPOINT_MAGIC_TAIL,
  CHECKPOINT_VERSION,
  CHECKPOINT_VERSION_PROCESS,
  CKPT_CTX_CHECKPOINT,
  CKPT_CTX_ERROR,
  CKPT_CTX_RESTART,
  CKPT_DBASE,
  CKPT_DDEFAULT,
  CKPT_DFLAG,
  CKPT_DRW,
  CKPT_DSYS,
  CKPT_HDR_BUFFER,
  CKPT_HDR_CONTAINER,
  CKPT_HDR_ERROR,
  CKPT_HDR_HEADER,
  CKPT_HDR_STRING,
  CKPT_HDR_TAIL,
  CKPT_HDR_TASK,
  CKPT_MSG_LEN,
  CkptConst,
  CkptHdr,
  Container,
  ErrorRecord,
  Header,
  Tail,
  Task,
  TASK_COMM_LEN,
  taskFields,
  UTS_FIELD_LEN,
} from './records/base.ts';
export { CKPT_HDR_CPU_FPU, Cpu } from './records/cpu.ts';
export { Clocks } from './records/clocks.ts';
export { Cred, Gid, secureBits } from './records/cred.ts';
export { epollEvents, EpollItem, EpollItems } from './records/epoll.ts';
export { Inotify, inotifyEvents, InotifyWatch } from './records/inotify.ts';
export { Eventfd } from './records/eventfd.ts';
export { Features, featuresKnown } from './records/features.ts';
export {
  File,
  FileDesc,
  fileKinds,
  FileLock,
  FileTable,
  lockKinds,
  ownerTypes,
  openFlags,
} from './records/file.ts';
export { Fs } from './records/fs.ts';
export { archs, HeaderArch, XstateComponent, xfeatureNames } from './records/header-arch.ts';
export { Identity } from './records/identity.ts';
export { Holding, Inherited } from './records/inherited.ts';
export { IoUring, ioUringSetupFlags } from './records/io-uring.ts';
export { barrierCommands, coreContents, lockFlags, Mm } from './records/mm.ts';
export { PageMap, PageRun, pageSources } from './records/page-map.ts';
export {
  checksums,
  CKPT_HDR_ENVELOPE,
  CKPT_HDR_LINK,
  CKPT_HDR_PAD,
  CKPT_HDR_PAGES_DIGEST,
  CKPT_HDR_ROOT,
  CKPT_HDR_SIGNATURE,
  CKPT_HDR_SKIPPABLE,
  codecs,
  MetaEnd,
  Pages,
  pagesMax,
  Store,
} from './records/pages.ts';
export { buildIdMax, CKPT_HDR_FILE_NAME, FileRun, Path, pathFlags, seals } from './records/path.ts';
export { Pipe } from './records/pipe.ts';
export { clockIds, PosixTimer, sigevNotify } from './records/posix-timer.ts';
export { RestartBlock, restartBlocks } from './records/restart-block.ts';
export { Shm } from './records/shm.ts';
export { saFlags, Sigaction, Sighand } from './records/sighand.ts';
export { Rlimit, rlimitCount, Signal } from './records/signal.ts';
export { Signalfd } from './records/signalfd.ts';
export { Siginfo, Sigpending } from './records/sigpending.ts';
export {
  connectionEnds,
  connectionFates,
  SocketInet,
  tcpOptions,
  tcpStates,
} from './records/socket-inet.ts';
export {
  Socket,
  socketDomains,
  SocketMessage,
  SocketOption,
  socketShutdown,
  socketStates,
  socketTypes,
} from './records/socket.ts';
export { dumpableModes, ProcessTask } from './records/task.ts';
export { schedPolicies, Thread, threadFlags } from './records/thread.ts';
export { Timerfd, timerfdFlags } from './records/timerfd.ts';
export { Tree, TreeThread } from './records/tree.ts';
export { Tty, ttyFlags } from './records/tty.ts';
export { adviceFlags, mapFlags, protections, Vma, vmaKinds } from './records/vma.ts';
