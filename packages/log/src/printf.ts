import { CKPT_MSG_LEN } from '@ckpt/format';
import { clipText, decodeText, encodeText } from '@ckpt/io';
import { formatInteger, type Conversion } from './integer.ts';

/** What a message may be made of. Bytes are a C string; undefined is a null pointer. */
export type Argument = string | number | bigint | Uint8Array | undefined;

/** Hands out arguments in order; `done` says that there is none left. */
interface Arguments {
  readonly done: boolean;
  next(): Argument;
}

/** Expansion of `%(c)`; undefined leaves the four characters as they are. */
export type Expand = (letter: string, args: Arguments) => string | undefined;

/** Nothing is ever longer than a message: what is behind can be left out early. */
const lengthMax = CKPT_MSG_LEN;

const conversionAt = /%([-+ #0]*)(\d+|\*)?(?:\.(\d+|\*)?)?(hh|h|ll|l|L|q|j|z|t)?([%diuxXocsp])/y;

/** x86-64; no modifier is an int. */
const bitsOf: Readonly<Record<string, number>> = {
  hh: 8,
  h: 16,
  l: 64,
  ll: 64,
  L: 64,
  q: 64,
  j: 64,
  z: 64,
  t: 64,
};

function takeFrom(args: readonly Argument[]): Arguments {
  let index = 0;
  return {
    get done() {
      return index >= args.length;
    },
    next: () => args[index++],
  };
}

/** The text of a C string: up to its first NUL. */
export function stringOf(value: Argument): string {
  if (value === undefined) return '(null)';
  if (value instanceof Uint8Array) return decodeText(value.subarray(0, lengthMax));
  const text = String(value).slice(0, lengthMax);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** The integer that was given, or undefined for what is none. */
export function integerOf(value: Argument): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (value === undefined) return 0n;
  return typeof value === 'number' && Number.isFinite(value)
    ? BigInt(Math.trunc(value))
    : undefined;
}

/** Width and precision count bytes, as C does; no character is cut in two. */
function formatString(text: string, { flags, width, precision }: Conversion): string {
  let bytes = encodeText(text);
  let shown = text;
  if (precision !== undefined && precision < bytes.length) {
    bytes = bytes.subarray(0, clipText(bytes, precision));
    shown = decodeText(bytes);
  }
  const space = ' '.repeat(Math.max(width - bytes.length, 0));
  return flags.includes('-') ? shown + space : space + shown;
}

/** One character; NUL, which would end a message, is none. */
function formatCharacter(value: Argument, conversion: Conversion): string {
  const code = integerOf(value);
  const text = code === undefined ? stringOf(value) : String.fromCharCode(Number(code & 0xffn));
  const [character = ''] = text === '\0' ? '' : text;
  return formatString(character, { ...conversion, precision: undefined });
}

function formatOne(value: Argument, conversion: Conversion): string {
  if (conversion.letter === 'c') return formatCharacter(value, conversion);
  const integer = conversion.letter === 's' ? undefined : integerOf(value);
  if (integer !== undefined) return formatInteger(integer, conversion);
  return formatString(stringOf(value), conversion);
}

/** A width or precision: digits, or `*` for the next argument; undefined where there is none. */
function count(text: string | undefined, args: Arguments): number | undefined {
  if (text === undefined) return undefined;
  const value = text === '*' ? Number(integerOf(args.next()) ?? 0n) : Number(text);
  return Math.max(Math.min(value, lengthMax), -lengthMax);
}

/** One conversion; the text as it stands when its arguments are missing. */
function convert(match: RegExpExecArray, args: Arguments): string {
  const [whole, flagsGiven = '', widthGiven, precisionGiven, modifier = '', letter = ''] = match;
  if (letter === '%') return '%';
  const width = count(widthGiven, args) ?? 0;
  const precision = count(precisionGiven ?? (whole.includes('.') ? '0' : undefined), args);
  if (args.done) return whole;
  return formatOne(args.next(), {
    flags: width < 0 ? `${flagsGiven}-` : flagsGiven,
    width: Math.abs(width),
    precision: precision === undefined || precision < 0 ? undefined : precision,
    bits: letter === 'p' ? 64 : (bitsOf[modifier] ?? 32),
    letter,
  });
}

/**
 * Text of a format and its arguments (printf(3): `d i u x X o c s p %`, flags, width, precision,
 * length modifiers). Data is put in as data and never read as format. Never throws: what is no
 * conversion, or lacks its argument, stays as it stands. Cut a little behind the longest message.
 */
export function printf(format: string, values: readonly Argument[], expand?: Expand): string {
  const args = takeFrom(values);
  const end = format.indexOf('\0');
  const source = end < 0 ? format : format.slice(0, end);
  let text = '';
  let index = 0;
  while (index < source.length && text.length < lengthMax) {
    const next = source.indexOf('%', index);
    const plain = next < 0 ? source.length : next;
    text += source.slice(index, plain);
    if (next < 0) break;
    const flag = expand !== undefined && source[next + 1] === '(' && source[next + 3] === ')';
    conversionAt.lastIndex = next;
    const match = flag ? null : conversionAt.exec(source);
    const length = flag ? 4 : (match?.[0].length ?? 1);
    const literal = source.slice(next, next + length);
    if (flag) text += expand(source.charAt(next + 2), args) ?? literal;
    else text += match === null ? literal : convert(match, args);
    index = next + length;
  }
  return text;
}
