import type {
  Answer,
  Call,
  CheckpointScope,
  ClockTimes,
  ImageRecord,
  Resource,
  RestoreScope,
} from '@ckpt/engine';
import { Clocks, Identity } from '@ckpt/format';
import { parseStatus } from '../procfs/status.ts';
import { parseTimeOffsets } from '../procfs/time-offsets.ts';

/** linux/time.h */
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;

const second = 1_000_000_000n;
/** KTIME_SEC_MAX / 2: more no clock of a namespace may show (kernel/time/namespace.c). */
const timeMax = 4_611_686_018n * second;

/** capabilities(7): the one makes the namespace, the other sets its clocks. */
const needed = [
  [21n, 'CAP_SYS_ADMIN'],
  [25n, 'CAP_SYS_TIME'],
] as const;

/** Clocks are read one after the other, and not at the moment when all stands still. */
const slack = second;

const clockNames = { monotonic: 'CLOCK_MONOTONIC', boottime: 'CLOCK_BOOTTIME' } as const;
const none: ClockTimes = { monotonic: 0n, boottime: 0n };

const gettime = (clock: number): Call => ({ call: 'clock_gettime', args: [clock, { out: 16 }] });

/** struct timespec, as nanoseconds. */
function timeOf(answer: Answer | undefined): bigint {
  const bytes = answer?.out[0];
  if (answer?.result !== 0n || bytes?.length !== 16) return 0n;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return view.getBigInt64(0, true) * second + view.getBigInt64(8, true);
}

function checkpoint(scope: CheckpointScope): void {
  const { frozen, task } = scope;
  const own = frozen.link(task, 'ns/time');
  const next = frozen.link(task, 'ns/time_for_children');
  if (own !== next && own !== undefined && next !== undefined) {
    scope.refuse({
      thing: 'time (of its children) namespace',
      reason: `its children get ${next}, and it is in ${own} itself`,
      remedy: 'start the program behind: unshare --time --fork',
    });
  }
  const [monotonic, boottime] = scope.answers();
  const offsets = parseTimeOffsets(frozen.read(task, 'timens_offsets') ?? new Uint8Array(0));
  const { monotonic: monotonic_offset, boottime: boottime_offset } = offsets ?? none;
  scope.emit(Clocks, {
    ...{ monotonic: timeOf(monotonic), boottime: timeOf(boottime) },
    ...{ monotonic_offset, boottime_offset },
  });
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** @throws CkptError EINVAL for times that no namespace can show. */
function checkClocks(record: ImageRecord<Clocks>): void {
  for (const [field, time] of Object.entries(record.value)) {
    const least = field.endsWith('_offset') ? -timeMax : 0n;
    if (time < least || time > timeMax) {
      throw record.invalid(field, `${time.toString()} nanoseconds are no time of a clock`);
    }
  }
}

/**
 * What is to be added to the machine's clocks: on the boot that the image comes from, what was
 * added there; on another one, as little as keeps a clock from going back.
 */
function offsetsOf(
  { document, system }: RestoreScope,
  { value }: ImageRecord<Clocks>,
  here: NonNullable<RestoreScope['system']['clocks']>,
): ClockTimes {
  const { boot_id } = document.one(Identity).value;
  const isSameBoot = boot_id.every((byte, index) => byte === system.bootId[index]);
  const of = (name: keyof ClockTimes): bigint => {
    const own = here.offsets?.[name] ?? 0n;
    const usual = isSameBoot ? value[`${name}_offset`] : own;
    const least = value[name] - (here[name] - own);
    // Also a machine that was itself set back to an earlier state has the same boot.
    return isSameBoot && least <= usual + slack ? usual : larger(least, usual);
  };
  return { monotonic: of('monotonic'), boottime: of('boottime') };
}

/** What the invoker lacks to make a time namespace; undefined: nothing that is known. */
function lacking({ system: { clocks, self } }: RestoreScope): string | undefined {
  if (clocks?.offsets === undefined) return 'this kernel has no time namespaces';
  if (self === undefined) return undefined;
  const { effective } = parseStatus(self.status).capabilities;
  const names = needed.filter(([bit]) => ((effective >> bit) & 1n) === 0n).map(([, name]) => name);
  return names.length === 0 ? undefined : `a time namespace needs ${names.join(' and ')}`;
}

/** By how much clocks go back where there is no namespace: absolute times come so much later. */
function warn(scope: RestoreScope, offsets: ClockTimes, own: ClockTimes, why: string): void {
  for (const name of ['monotonic', 'boottime'] as const) {
    const back = (offsets[name] - own[name]) / second;
    if (back <= 0n) continue;
    scope.note(`${clockNames[name]} goes back by ${back.toString()} s for the process: ${why}`);
  }
}

function restore(scope: RestoreScope): void {
  const [record, second] = scope.document.all(Clocks);
  if (second !== undefined) throw second.invalid('type', 'a second CLOCKS');
  if (record === undefined) return;
  checkClocks(record);
  const here = scope.system.clocks;
  if (here === undefined) return;
  const own = here.offsets ?? none;
  const clocks = offsetsOf(scope, record, here);
  if (clocks.monotonic === own.monotonic && clocks.boottime === own.boottime) return;
  const why = lacking(scope);
  if (why !== undefined) {
    warn(scope, clocks, own, why);
    return;
  }
  const from = { position: record.position, path: 'clocks' };
  const pid = scope.pid;
  scope.step('rights', { op: 'spawn', kind: 'process', on: pid, from, pid, clocks });
}

/**
 * The clocks that no restart sets back: a process goes on in a time namespace of its own where this
 * machine's are behind, and in one like its own where it had one.
 *
 * Image: {@link Clocks}. Not saved: CLOCK_REALTIME, which is everybody's.
 */
export const clocks: Resource = {
  kind: 'clocks',
  records: [Clocks],
  asksTask: [gettime(CLOCK_MONOTONIC), gettime(CLOCK_BOOTTIME)],
  checkpoint,
  restore,
};
