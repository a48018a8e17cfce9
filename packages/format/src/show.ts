import { capabilityCount, capabilityName } from './capabilities.ts';
import type { Field } from './field.ts';
import type { EnumNotation, FlagsNotation } from './notation.ts';
import { showDevice, showDuration, showNanotime, showSize, showTime } from './quantities.ts';
import { signalMax, signalName } from './signals.ts';
import { escapeBytes } from './text.ts';

const hexOf = (value: bigint) => `0x${value.toString(16)}`;

/** How many bits are set. */
function width(bits: bigint): number {
  return bits.toString(2).replaceAll('0', '').length;
}

/** "PROT_READ|PROT_WRITE", bits without a name as one number: "O_APPEND|0x80000000". */
function showFlags(value: bigint, { names, prefix = '', zero }: FlagsNotation): string {
  const known = Object.entries(names).map(([name, bits]) => ({ name, bits: BigInt(bits) }));
  let rest = value;
  // Wide names first: O_SYNC contains O_DSYNC.
  const found = new Set<string>();
  for (const { name, bits } of known.toSorted((a, b) => width(b.bits) - width(a.bits))) {
    if (bits === 0n || (rest & bits) !== bits) continue;
    found.add(name);
    rest &= ~bits;
  }
  const parts = known.filter(({ name }) => found.has(name)).map(({ name }) => prefix + name);
  if (zero !== undefined && (value & BigInt(zero.mask ?? -1)) === 0n) parts.unshift(zero.name);
  if (rest !== 0n) parts.push(hexOf(rest));
  return parts.length === 0 ? '0' : parts.join('|');
}

function showEnum(value: bigint, { names, prefix = '' }: EnumNotation): string {
  const found = Object.entries(names).find(([, number]) => BigInt(number) === value);
  return found === undefined ? `${value} (unknown)` : prefix + found[0];
}

/** Names of set bits; of a set that holds most, names of those missing: "all but SIGKILL|SIGSTOP". */
function showSet(
  value: bigint,
  count: number,
  nameOf: (bit: number) => string | undefined,
): string {
  const bits = Array.from({ length: count }, (_, bit) => bit);
  const has = (bit: number) => ((value >> BigInt(bit)) & 1n) === 1n;
  const listed = (wanted: boolean) =>
    bits.filter((bit) => has(bit) === wanted).map((bit) => nameOf(bit) ?? `bit ${bit}`);
  const unknown = value >> BigInt(count);
  const rest = unknown === 0n ? [] : [hexOf(unknown << BigInt(count))];
  const missing = listed(false);
  if (missing.length === 0) return ['all', ...rest].join('|');
  if (missing.length < count / 2) return [`all but ${missing.join('|')}`, ...rest].join(' and ');
  return [...listed(true), ...rest].join('|') || 'none';
}

function showUuid(bytes: Uint8Array): string {
  const digits = hexBytes(bytes);
  if (/^0*$/.test(digits)) return 'none';
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.*)$/, '$1-$2-$3-$4-$5');
}

/** "00ff": every byte. */
export function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Bytes of a text that lead up to the NULs at its end. */
function trimmed(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
}

/** Bytes that are shown in full; of more only the first ones, and how many there are. */
const bytesShown = 32;

function showBytes(bytes: Uint8Array, { notation, size }: Field<unknown>): string {
  if (notation.kind === 'text') return `"${escapeBytes(trimmed(bytes)).replaceAll('"', '\\"')}"`;
  if (notation.kind === 'uuid') return showUuid(bytes);
  if (bytes.every((byte) => byte === 0)) return `${size} zeros`;
  if (bytes.length <= bytesShown) return hexBytes(bytes);
  return `${hexBytes(bytes.subarray(0, bytesShown))}... (${bytes.length} bytes)`;
}

function showSignal(value: bigint): string {
  // -1 of a field that Linux keeps as int and the base as u32.
  const number = Number(BigInt.asIntN(32, value));
  return number === 0 ? 'none' : (signalName(number) ?? String(number));
}

/** A value as an inspector prints it: "PROT_READ|PROT_WRITE", "SIGUSR1", "4.0 KiB". One line, escaped. */
export function formatValue(field: Field<unknown>, value: unknown): string {
  if (value instanceof Uint8Array) return showBytes(value, field);
  const { notation } = field;
  const number = BigInt(value as number | bigint);
  const bits = BigInt.asUintN(8 * field.size, number);
  switch (notation.kind) {
    case 'hex':
    case 'address':
      return hexOf(bits);
    case 'octal':
      return bits === 0n ? '0' : `0${bits.toString(8)}`;
    case 'size':
      return showSize(number);
    case 'time':
      return showTime(number);
    case 'nanotime':
      return showNanotime(number);
    case 'duration':
      return showDuration(number, notation.unit);
    case 'device':
      return showDevice(bits);
    case 'signal':
      return showSignal(number);
    case 'signals':
      return showSet(bits, signalMax, (bit) => signalName(bit + 1));
    case 'capabilities':
      return showSet(bits, capabilityCount, capabilityName);
    case 'limit':
      return bits === 0xffffffffffffffffn ? 'unlimited' : bits.toString();
    case 'objref':
      return number === 0n ? 'none' : `#${number}`;
    case 'flags':
      return showFlags(bits, notation);
    case 'enum':
      return showEnum(number, notation);
    default:
      return number.toString();
  }
}
