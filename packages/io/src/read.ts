import type { Stream } from './file.ts';
import { checkLength, fault } from './fault.ts';
import { readHeader, type RecordHeader } from './header.ts';
import { headerLength } from './record-memory.ts';

/**
 * Reads the header of a record that must have `length` bytes, or, where `length` is 0, at most
 * `max`; where both are 0, any number. All count the header.
 * @throws CkptError EINVAL when it has not; the rest as {@link readHeader}.
 */
export function readSized(
  stream: Stream,
  length: number,
  max: number,
  wanted?: number,
): RecordHeader {
  const header = readHeader(stream, wanted);
  const found = header.length;
  stream.trace?.(`type ${header.type} len ${found}(${length},${max})`);
  if (length !== 0 ? found === length : max === 0 || found <= max) return header;
  const due = length !== 0 ? `${length} are due` : `at most ${max} are taken`;
  throw fault('EINVAL', stream, `a record of ${found} bytes where ${due}`, {
    type: header.type,
    field: 'len',
  });
}

/** @throws CkptError EINVAL when the record, whose payload is behind us or not, is another one. */
export function checkType(stream: Stream, header: RecordHeader, type: number): void {
  if (header.type === type) return;
  throw fault('EINVAL', stream, `a record of type ${header.type} where ${type} is due`, {
    type: header.type,
    field: 'type',
  });
}

/** Total length for a payload length, 0 for any: what the header must say. */
export function totalLength(stream: Stream, name: string, payload: number): number {
  checkLength(stream, name, payload);
  return payload === 0 ? 0 : payload + headerLength;
}
