/** What stands between `%` and the letter of a conversion (printf(3)). */
export interface Conversion {
  /** Any of `-+ #0`. */
  readonly flags: string;
  /** Bytes at least. */
  readonly width: number;
  /** Digits at least, or bytes of a string at most; undefined where none was given. */
  readonly precision: number | undefined;
  /** Bits of the C type that the length modifier names. */
  readonly bits: number;
  /** `d`, `u`, `x`, ... */
  readonly letter: string;
}

const prefixes: Readonly<Record<string, string>> = { x: '0x', X: '0X', p: '0x' };

/** The sign of a signed conversion, shown or not. */
function sign(negative: boolean, flags: string): string {
  if (negative) return '-';
  if (flags.includes('+')) return '+';
  return flags.includes(' ') ? ' ' : '';
}

function digitsOf(magnitude: bigint, { letter, flags, precision }: Conversion): string {
  const base = letter === 'o' ? 8 : /[xXp]/.test(letter) ? 16 : 10;
  let digits = precision === 0 && magnitude === 0n ? '' : magnitude.toString(base);
  if (letter === 'X') digits = digits.toUpperCase();
  digits = digits.padStart(precision ?? 1, '0');
  return letter === 'o' && flags.includes('#') && !digits.startsWith('0') ? `0${digits}` : digits;
}

/** An integer as C prints one of its type: what does not fit the type is cut as a cast cuts it. */
export function formatInteger(value: bigint, conversion: Conversion): string {
  const { letter, flags, width, bits, precision } = conversion;
  const signed = letter === 'd' || letter === 'i';
  const number = signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  const digits = digitsOf(number < 0n ? -number : number, conversion);
  const marked = letter === 'p' || (flags.includes('#') && number !== 0n);
  const front = signed ? sign(number < 0n, flags) : marked ? (prefixes[letter] ?? '') : '';
  if (flags.includes('-')) return (front + digits).padEnd(width);
  const zeros = flags.includes('0') && precision === undefined;
  if (zeros) return front + digits.padStart(width - front.length, '0');
  return (front + digits).padStart(width);
}
