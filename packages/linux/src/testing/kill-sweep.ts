import { existsSync } from 'node:fs';
import { codeAddress, freePid, HandPlan, registersAt } from './hand-plan.ts';
import { stateOf, statusOf, stubs, threadsOf, until } from './process-facts.ts';
import { programs } from './programs.ts';
import { Restarter } from './restarter.ts';

/** Two threads, a sleep, a pending signal: every kind of ptrace call. */
function restartOfTwo(): { readonly hand: HandPlan; readonly tid: number } {
  const hand = new HandPlan(freePid());
  const tid = freePid();
  hand.codeWithoutStore(programs.pauses);
  hand.thread(tid);
  hand.call('prctl', [15, { blob: Buffer.from('second\0') }, 0, 0, 0], { on: tid });
  const siginfo = new Uint8Array(128);
  siginfo[0] = 12;
  const left = new Uint8Array(16);
  left[0] = 60;
  const registers = registersAt(codeAddress + 7n, { rax: -516, orig_rax: 35 });
  const sleep = { call: 'nanosleep', args: [{ blob: left }, 0] };
  hand.resume({ registers, sleep, pending: [siginfo], signalMask: 1n << 11n });
  hand.resume({ on: tid, registers: registersAt(codeAddress) });
  return { hand, tid };
}

const isGone = (pid: number): boolean => !existsSync(`/proc/${pid}`) || stateOf(pid) === 'Z';

/** Stubs whose restarter is gone; others may be at work. */
const strays = (): readonly number[] => stubs(1, process.pid);

/** Waits until the process is as it should be, and ends it. */
async function endWhole(pid: number, tid: number): Promise<void> {
  const isAsleep = (id: number): boolean => /^[S]/.test(statusOf(id, 'State'));
  await until(() => [pid, tid].every(isAsleep), 'both threads asleep');
  const threads = threadsOf(pid).length;
  const tracer = statusOf(pid, 'TracerPid');
  if (threads !== 2 || tracer !== '0') throw new Error(`${threads} threads, traced by ${tracer}`);
  process.kill(pid, 'SIGKILL');
  await until(() => isGone(pid), 'the end');
}

export interface Swept {
  /** All points of a restart. */
  readonly points: number;
  /** Those at which one was killed, and of these those that left a whole process. */
  readonly killed: number;
  readonly whole: number;
}

/** Names that come more than once get a number: a run may have a stop more than another. */
function numbered(points: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return points.map((point) => {
    const count = (seen.get(point) ?? 0) + 1;
    seen.set(point, count);
    return `${point}#${count}`;
  });
}

/**
 * Kills restarters at points chosen by their numbers, from 1 on, and at all from the last detach on.
 * One that does not come by its point must end as if there had been none.
 * @throws Error when something is left of a restart, or something is missing in a whole one.
 */
export async function killSweep(
  path: (name: string) => string,
  isChosen: (point: number) => boolean,
): Promise<Swept> {
  const restarter = new Restarter(path);
  const first = restartOfTwo();
  const points = numbered(restarter.run(first.hand.plan())?.points ?? []);
  await endWhole(first.hand.pid, first.tid);
  const committed = points.findLastIndex((point) => point.startsWith('ptrace DETACH')) + 1;
  let killed = 0;
  let whole = 0;
  for (const [index, point] of points.entries()) {
    const number = index + 1;
    if (!isChosen(number) && number < committed - 1) continue;
    const { hand, tid } = restartOfTwo();
    const wasKilled = restarter.run(hand.plan(), point) === undefined;
    if (wasKilled) killed += 1;
    if (!wasKilled || number >= committed) {
      await endWhole(hand.pid, tid);
      whole += 1;
    }
    const isOver = (): boolean => isGone(hand.pid) && isGone(tid) && strays().length === 0;
    await until(isOver, `nothing left after ${point} (${number})`);
  }
  return { points: points.length, killed, whole };
}
