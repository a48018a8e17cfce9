/** Bytes of a UTF-8 sequence by its first byte; 0 of a byte that begins none. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

const leastOfLength = [0, 0, 0x80, 0x800, 0x10000];

/** The character that begins at `start`, or undefined when the bytes there are no UTF-8. */
function character(bytes: Uint8Array, start: number, length: number): string | undefined {
  const first = bytes[start] ?? 0;
  if (length === 1) return String.fromCharCode(first);
  let code = first & (0x7f >> length);
  for (let index = start + 1; index < start + length; index++) {
    const next = bytes[index] ?? 0;
    if ((next & 0xc0) !== 0x80) return undefined;
    code = (code << 6) | (next & 0x3f);
  }
  const surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < (leastOfLength[length] ?? 0) || code > 0x10ffff || surrogate) return undefined;
  return String.fromCodePoint(code);
}

const short: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
  '\0': '\\0',
};

/**
 * Makes text that somebody else wrote fit for a terminal: control and format characters (escape
 * sequences, changes of writing direction), line ends and the backslash become escapes.
 */
export function escapeText(text: string): string {
  return text.replaceAll(/[\\\p{C}\p{Zl}\p{Zp}]/gu, (found) => {
    const code = found.codePointAt(0) ?? 0;
    const plain =
      code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
    return short[found] ?? plain;
  });
}

/** The same from bytes: what is no UTF-8 becomes \xNN. */
export function escapeBytes(bytes: Uint8Array): string {
  let out = '';
  for (let start = 0; start < bytes.length;) {
    const first = bytes[start] ?? 0;
    const length = sequenceLength(first);
    const found = length === 0 ? undefined : character(bytes, start, length);
    out += found === undefined ? `\\x${first.toString(16).padStart(2, '0')}` : escapeText(found);
    start += found === undefined ? 1 : length;
  }
  return out;
}
