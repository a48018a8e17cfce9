import type { ClockTimes } from '@ckpt/engine';
import { decodeText } from '@ckpt/io';

const second = 1_000_000_000n;

/**
 * Reads /proc/PID/timens_offsets (time_namespaces(7)): what the namespace of children adds to the
 * machine's clocks, nanoseconds. Undefined for what is no such text.
 */
export function parseTimeOffsets(bytes: Uint8Array): ClockTimes | undefined {
  const text = decodeText(bytes);
  const of = (name: string): bigint | undefined => {
    const [, seconds, rest] = new RegExp(`^${name}\\s+(-?\\d+)\\s+(\\d+)$`, 'm').exec(text) ?? [];
    if (seconds === undefined || rest === undefined) return undefined;
    return BigInt(seconds) * second + BigInt(rest);
  };
  const [monotonic, boottime] = [of('monotonic'), of('boottime')];
  return monotonic === undefined || boottime === undefined ? undefined : { monotonic, boottime };
}

/** The text that sets them; the nanoseconds are not negative. */
export function timeOffsetsText({ monotonic, boottime }: ClockTimes): string {
  const line = (name: string, value: bigint): string => {
    const rest = ((value % second) + second) % second;
    return `${name} ${((value - rest) / second).toString()} ${rest.toString()}\n`;
  };
  return line('monotonic', monotonic) + line('boottime', boottime);
}
