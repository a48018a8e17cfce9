import type { CkptFile } from '@ckpt/io';

/** Writes all bytes, a short write at a time. */
export function writeAll(file: CkptFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.write(bytes.subarray(done));
}
