const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** "4.0 KiB"; where that is rounded the bytes too: "4.0 KiB (4097)". */
export function showSize(bytes: bigint): string {
  let step = 0;
  while (bytes >> BigInt(10 * (step + 1)) > 0n && step + 1 < units.length) step++;
  const unit = units[step] ?? 'B';
  if (step === 0) return `${bytes} B`;
  const tenths = (bytes * 10n) >> BigInt(10 * step);
  const exact = tenths << BigInt(10 * step) === bytes * 10n;
  const rounded = `${tenths / 10n}.${tenths % 10n} ${unit}`;
  return exact ? rounded : `${rounded} (${bytes})`;
}

/** Milliseconds from the epoch that a Date can hold. */
const dateMax = 8_640_000_000_000_000n;

function date(seconds: bigint): string | undefined {
  const ms = seconds * 1000n;
  if (ms > dateMax || ms < -dateMax) return undefined;
  return new Date(Number(ms)).toISOString().replace('.000Z', '');
}

/** Seconds since the epoch: "2026-11-23T16:05:09Z". */
export function showTime(seconds: bigint): string {
  const day = date(seconds);
  return day === undefined ? `${seconds} s` : `${day}Z`;
}

/** Nanoseconds since the epoch: "2026-11-23T16:05:09.000000001Z". */
export function showNanotime(nanoseconds: bigint): string {
  const day = date(nanoseconds / 1_000_000_000n);
  const rest = (nanoseconds % 1_000_000_000n).toString().padStart(9, '0');
  return day === undefined ? `${nanoseconds} ns` : `${day}.${rest}Z`;
}

const perUnit = { s: 1_000_000_000n, ms: 1_000_000n, us: 1000n, ns: 1n };

/** Exact, in the largest unit that fits once: "1.5 s", "50 us". */
export function showDuration(value: bigint, unit: 'ns' | 'us'): string {
  const sign = value < 0n ? '-' : '';
  const total = (value < 0n ? -value : value) * perUnit[unit];
  if (total === 0n) return '0 s';
  const [name, size] = Object.entries(perUnit).find(([, each]) => total >= each) ?? ['ns', 1n];
  const rest = (total % size).toString().padStart(size.toString().length - 1, '0');
  const digits = size === 1n ? '' : rest.replace(/0+$/, '');
  return `${sign}${total / size}${digits === '' ? '' : `.${digits}`} ${name}`;
}

/** dev_t as major:minor (gnu_dev_major(3)): "8:1". */
export function showDevice(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn);
  return `${major}:${minor}`;
}
