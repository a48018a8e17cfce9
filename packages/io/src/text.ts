const encoder = new TextEncoder();
// A byte order mark is part of what a program wrote, not of the encoding.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** UTF-8. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of a C string: what is before the first NUL, or all. Bytes that are no UTF-8 are U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** How many of the first `max` bytes end on a whole UTF-8 character. */
export function clipText(bytes: Uint8Array, max: number): number {
  if (bytes.length <= max) return bytes.length;
  let end = Math.max(max, 0);
  // Continuation bytes are 10xxxxxx; a character has at most three of them.
  for (let back = 0; back < 3 && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80; back++) end--;
  return end;
}
