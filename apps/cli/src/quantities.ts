import { byteSize, formatValue, u64 } from '@ckpt/format';

const size = u64('bytes', byteSize);

/** "8.1 MiB" */
export function sizeText(bytes: number): string {
  return exactSize(bytes).replace(/ \(.*/, '');
}

/** "8.1 MiB (8493466)": with the bytes where they are rounded. */
export function exactSize(bytes: number): string {
  return formatValue(size, BigInt(bytes));
}

/** "0.4 ms", "12 ms", "1.3 s" */
export function timeText(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}
