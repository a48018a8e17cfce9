import { CkptError, CKPT_HDR_ERROR, CKPT_HDR_STRING } from '@ckpt/format';
import { fault, located } from './fault.ts';
import type { CkptFile, Stream } from './file.ts';
import { headerLength } from './record-memory.ts';
import { discard } from './skip.ts';
import { decodeText } from './text.ts';
import { readFully } from './transfer.ts';

/** Bytes of text that are passed on. Writers keep to CKPT_MSG_LEN, an image need not. */
const textMax = 4096;

/** The text without the NUL that opens it and the line end that closes it. */
function tidy(bytes: Uint8Array): string {
  return decodeText(bytes[0] === 0 ? bytes.subarray(1) : bytes).trimEnd();
}

/** Text inside of the ERROR record, which is read to its end. */
function inlineText(stream: Stream, length: number): string {
  const bytes = new Uint8Array(Math.min(length, textMax));
  const more = { type: CKPT_HDR_ERROR, field: 'payload' };
  let done: number;
  try {
    done = readFully(stream.file, bytes);
    if (done === bytes.length) done += discard(stream.file, length - done);
  } catch (error) {
    throw located(error, stream, more);
  }
  if (done < length) {
    const text = tidy(bytes.subarray(0, Math.min(done, bytes.length)));
    const said = text === '' ? '' : `: ${text}`;
    throw fault(
      'EPIPE',
      stream,
      `the image ends after ${done} of ${length} bytes of its writer's error record${said}`,
      more,
    );
  }
  stream.total += length;
  return tidy(bytes);
}

/**
 * Text of the STRING behind an ERROR record, or what there is of it. The defect is the ERROR
 * record: `total` stays behind it, and nothing that is wrong here makes another error of it.
 */
function followingText(file: CkptFile): string {
  try {
    const header = new Uint8Array(headerLength);
    if (readFully(file, header) < headerLength) return '';
    const view = new DataView(header.buffer);
    if (view.getUint32(0, true) !== CKPT_HDR_STRING) return '';
    const length = Math.max(view.getUint32(4, true) - headerLength, 0);
    const bytes = new Uint8Array(Math.min(length, textMax));
    return tidy(bytes.subarray(0, readFully(file, bytes)));
  } catch (error) {
    if (error instanceof CkptError) return '';
    throw error;
  }
}

/**
 * What its writer left in the image when it failed, `length` bytes of payload in the record.
 *
 *     ERROR len 8            ERROR len 8 + n
 *     STRING NUL text        NUL text
 *
 * @throws CkptError EPIPE when the image ends inside of the ERROR record.
 */
export function errorRecord(stream: Stream, length: number): CkptError {
  const text = length > 0 ? inlineText(stream, length) : followingText(stream.file);
  const said = text === '' ? ', without a text' : `: ${text}`;
  return fault('EIO', stream, `the writer of the image left an error${said}`, {
    type: CKPT_HDR_ERROR,
  });
}
