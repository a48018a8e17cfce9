import type { ClockTimes, System } from '../system.ts';
import type { ModelProcess } from './process.ts';
import { Unmodelled } from './refuse.ts';
import type { SystemCalls } from './system-call.ts';

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;

const second = 1_000_000_000n;
const none: ClockTimes = { monotonic: 0n, boottime: 0n };

/** What the time namespace of whoever asks adds to the clocks of the machine. */
const offsetsOf = ({ clocks }: System): ClockTimes => clocks?.offsets ?? none;

/** Nanoseconds. The machine's clocks stand still. */
function now({ machine: { system }, clocks }: ModelProcess, clock: number): bigint {
  if (clock === CLOCK_REALTIME) return system.time * second;
  const name = clock === CLOCK_MONOTONIC ? 'monotonic' : 'boottime';
  if (name === 'boottime' && clock !== CLOCK_BOOTTIME) throw new Unmodelled(`clock ${clock}`);
  const own = offsetsOf(system)[name];
  return (system.clocks ?? none)[name] - own + (clocks?.[name] ?? own);
}

/** /proc/PID/timens_offsets */
export function offsetsText({ machine: { system }, clocks }: ModelProcess): string {
  const lines = Object.entries(clocks ?? offsetsOf(system)).map(([name, value]) => {
    const rest = ((value % second) + second) % second;
    const seconds = (value - rest) / second;
    return `${name.padEnd(10)} ${seconds.toString().padStart(10)} ${rest.toString().padStart(9)}\n`;
  });
  return lines.join('');
}

/** The link of a time namespace that is not the machine's. */
export function ownTime({ clocks, pid }: ModelProcess, namespace: string): string | undefined {
  const isTime = namespace === 'time' || namespace === 'time_for_children';
  return isTime && clocks !== undefined ? `time:[${pid}]` : undefined;
}

export const clockCalls: SystemCalls = {
  clock_gettime: ({ process }, args) => {
    const time = now(process, args.int(0));
    process.user.put(args.word(1), 16, (view) => {
      view.setBigInt64(0, time / second, true);
      view.setBigInt64(8, time % second, true);
    });
    return 0;
  },
};
