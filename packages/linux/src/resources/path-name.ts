import type { ImageRecord } from '@ckpt/engine';
import { CKPT_HDR_FILE_NAME, type Path } from '@ckpt/format';
import { decodeText, encodeText } from '@ckpt/io';

/** Bytes of a path with its NUL (linux/limits.h). */
const PATH_MAX = 4096;

/**
 * Name of a PATH.
 * @throws CkptError EINVAL for one that no kernel would have told.
 */
export function nameOf(record: ImageRecord<Path>): string {
  const bytes = record.bytesOf(CKPT_HDR_FILE_NAME);
  const name = decodeText(bytes);
  if (encodeText(name).length !== bytes.length) {
    throw record.invalid('name', 'a file name with a NUL, or no UTF-8');
  }
  if (!name.startsWith('/') || bytes.length >= PATH_MAX) {
    throw record.invalid('name', `${bytes.length} bytes that are no absolute path`);
  }
  return name;
}
