import { checkLength } from './fault.ts';
import type { Stream } from './file.ts';
import { checkType, readSized } from './read.ts';
import { headerLength } from './record-memory.ts';
import { skipPayload } from './skip.ts';

/**
 * Skips one record of `type` in bounded memory. `length` counts the header, 0 is any. Of another
 * type it is skipped before it is refused.
 * @throws CkptError EINVAL for another length or type; EPIPE when the image ends first; EIO with
 * its text for an ERROR record; as read(2).
 */
export function ckptReadConsume(stream: Stream, length: number, type: number): void {
  checkLength(stream, 'len', length);
  const header = readSized(stream, length, 0, type);
  skipPayload(stream, header.length - headerLength, header.type);
  checkType(stream, header, type);
}
