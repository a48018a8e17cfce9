import { closeSync, constants, openSync, readSync } from 'node:fs';

const { O_NOCTTY, O_NONBLOCK, O_RDONLY } = constants;

/** Bytes of a file from an offset, as many as there are; undefined when it cannot be read. */
export function readPart(path: string, offset: bigint, length: number): Uint8Array | undefined {
  try {
    // Whatever the name leads to by now, nobody waits for it.
    const fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    try {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
