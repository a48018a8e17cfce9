import type { Plan } from './plan.ts';

/** What JSON can hold. */
export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648, section 4. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3);
    const word = (a << 16) | (b << 8) | c;
    const left = bytes.length - at;
    const digit = (shift: number): string => alphabet[(word >> shift) & 63] ?? '';
    text += digit(18) + digit(12) + (left > 1 ? digit(6) : '=') + (left > 2 ? digit(0) : '=');
  }
  return text;
}

/** Bytes shown in full; of more only the first ones and how many there are. */
const shownMax = 512;

function bytesToJson(bytes: Uint8Array): Json {
  if (bytes.length <= shownMax) return { base64: base64(bytes) };
  return { base64: base64(bytes.subarray(0, shownMax)), length: bytes.length };
}

/** Any part of a plan: bigints as decimal strings, bytes as base64, all else as it is. */
function toJson(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  if (value instanceof Uint8Array) return bytesToJson(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object') throw new Error(`a ${typeof value} in a plan`);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, toJson(inner)]));
}

/** A plan as JSON, for `--dry-run`. */
export function planToJson(plan: Plan): Json {
  return toJson(plan);
}
