import { CkptError } from '@ckpt/format';
import { decodeText, encodeText } from '@ckpt/io';
import { base64 } from '../plan-json.ts';
import type { RecordedFacts } from './facts.ts';

/** What JSON has no form for is an object with one of these keys alone. */
const textKey = '$text';
const bytesKey = '$base64';
const numberKey = '$bigint';

/** True for bytes that read well as they are. */
function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x0a || byte === 0x09 || (byte >= 0x20 && byte < 0x7f));
}

function encodeBytes(bytes: Uint8Array): Readonly<Record<string, string>> {
  return isText(bytes) ? { [textKey]: decodeText(bytes) } : { [bytesKey]: base64(bytes) };
}

function encode(value: unknown): unknown {
  if (typeof value === 'bigint') return { [numberKey]: value.toString() };
  if (value instanceof Uint8Array) return encodeBytes(value);
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, encode(inner)]));
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648, section 4. */
function fromBase64(text: string): Uint8Array {
  const digits = text.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let word = 0;
  let at = 0;
  for (let index = 0; index < digits.length; index++) {
    word = ((word << 6) | alphabet.indexOf(digits.charAt(index))) & 0xff_ffff;
    if (index % 4 === 0) continue;
    bytes[at++] = (word >> (6 - (index % 4) * 2)) & 0xff;
  }
  return bytes;
}

function decodeObject(value: object): unknown {
  const entries: [string, unknown][] = Object.entries(value);
  const [key, text] = entries[0] ?? ['', undefined];
  if (entries.length === 1 && typeof text === 'string') {
    if (key === numberKey) return BigInt(text);
    if (key === textKey) return encodeText(text);
    if (key === bytesKey) return fromBase64(text);
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, decode(inner)]));
}

function decode(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(decode);
  return typeof value === 'object' ? decodeObject(value) : value;
}

/** Facts as JSON: bytes are base64, or text where they are, and bigints decimal. */
export function stringifyFacts(facts: RecordedFacts): string {
  const parts = Object.entries(facts).map(
    ([name, part]) => `${JSON.stringify(name)}: ${JSON.stringify(encode(part))}`,
  );
  return `{\n${parts.join(',\n')}\n}\n`;
}

/** What a text that says nothing of it has: older recordings know less. */
const nothing: Omit<RecordedFacts, 'system' | 'task'> = {
  ...{ read: {}, list: {}, link: {}, stat: {}, threads: {}, pendingShared: [], ask: {} },
  ...{ probe: {}, descriptions: {}, unshared: {}, watches: {}, pipes: {}, polls: {} },
  ...{ holders: {}, holdings: {}, peers: {}, handles: {}, extents: {}, scans: [], pages: [] },
  ...{ memory: [], contents: [] },
  ...{ failures: {}, files: {} },
};

/**
 * Facts from JSON that {@link stringifyFacts} wrote.
 * @throws CkptError EINVAL for a text that holds no facts.
 */
export function parseFacts(text: string): RecordedFacts {
  let value: unknown;
  try {
    value = decode(JSON.parse(text));
  } catch (cause) {
    throw new CkptError('EINVAL', `no facts: ${String(cause)}`, { cause });
  }
  const isObject = typeof value === 'object' && value !== null;
  const lacking = ['system', 'task'].find((name) => !isObject || !(name in (value as object)));
  if (lacking !== undefined) throw new CkptError('EINVAL', `facts without ${lacking}`);
  return { ...nothing, ...(value as Pick<RecordedFacts, 'system' | 'task'>) };
}
