import { encodeText } from '@ckpt/io';

/** Bytes of a text, and the NUL that ends a C string. */
export function cString(text: string): Uint8Array {
  return encodeText(`${text}\0`);
}

/** True for a name whose bytes were no UTF-8: it cannot be written down, nor opened again. */
export function isMangled(name: string): boolean {
  return name.includes('\u{fffd}');
}
