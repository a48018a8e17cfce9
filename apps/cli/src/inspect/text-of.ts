import { escapeBytes } from '@ckpt/format';

/** Bytes of a payload that are looked at. */
export const textMax = 4096;

/** Bytes of a payload without text that are shown. */
const shownMax = 16;

/** Payloads that hold text, whatever its bytes. */
const textual: ReadonlySet<string> = new Set(['STRING', 'FILE_NAME']);

function quoted(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const text = end < 0 ? bytes : bytes.subarray(0, end);
  return `"${escapeBytes(text).replaceAll('"', '\\"')}"`;
}

/** What the first bytes of a payload of `length` bytes say, on one line; '' where there are none. */
export function textOf(name: string, bytes: Uint8Array, length: number): string {
  if (bytes.length === 0) return '';
  const more = bytes.length < length ? ' ...' : '';
  if (textual.has(name)) return `${quoted(bytes)}${more}`;
  if (more === '' && bytes.every((byte) => byte === 0)) return 'zeros';
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const printable = bytes.subarray(0, end).every((byte) => byte >= 0x20 && byte < 0x7f);
  if (more === '' && printable) return quoted(bytes);
  const some = Array.from(bytes.subarray(0, shownMax), (b) => b.toString(16).padStart(2, '0'));
  return `${some.join(' ')}${length > shownMax ? ' ...' : ''}`;
}
