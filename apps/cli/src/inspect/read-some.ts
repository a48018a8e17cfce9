import type { CkptFile } from '@ckpt/io';

/** Bytes of a file, fewer only where it ends. @throws CkptError as read(2). */
export function readSome(file: CkptFile, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = file.read(bytes.subarray(done));
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}
