import type { Stream } from './file.ts';
import { readHeaderOrEnd, type RecordHeader } from './header.ts';
import { skipPayload } from './skip.ts';

/**
 * Every record from here to the end of the file, which may hold several images. The payload of
 * each is at hand while it is the current one; what is left of it is then skipped, in bounded
 * memory.
 * @throws CkptError EPIPE when the file ends inside of a record; EINVAL for a length under 8; EIO
 * with its text for an ERROR record; as read(2). Error when more than the payload has been read.
 */
export function* walkRecords(stream: Stream): Generator<RecordHeader, void, undefined> {
  for (;;) {
    const header = readHeaderOrEnd(stream);
    if (header === undefined) return;
    yield header;
    const left = header.position + header.length - stream.total;
    if (left < 0) throw new Error(`${-left} bytes behind the record were read`);
    skipPayload(stream, left, header.type);
  }
}
