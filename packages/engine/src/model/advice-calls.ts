import type { Range } from './ranges.ts';
import { pagesOf } from './map-calls.ts';
import { mmExtraCalls } from './mm-extras.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCalls, Words } from './system-call.ts';
import { changed, isPrivate, type Vma } from './vma.ts';

const MADV_DONTNEED = 4;
const MADV_GUARD_INSTALL = 102;
const MLOCK_ONFAULT = 1;
const MCL_FUTURE = 2;
const MCL_ONFAULT = 4;
const CAP_IPC_LOCK = 14;
const RLIMIT_MEMLOCK = 8;

interface Advice {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** False where the kernel answers EINVAL. */
  readonly takes?: (vma: Vma) => boolean;
  /** False where the kernel answers 0 and does nothing. */
  readonly heeds?: (vma: Vma) => boolean;
}

const advice = (add: readonly string[], remove: readonly string[]): Advice => ({ add, remove });

const hasNone =
  (...flags: readonly string[]) =>
  (vma: Vma): boolean =>
    !flags.some((flag) => vma.flags.has(flag));

/** What madvise(2) does to the flags of a mapping (mm/madvise.c, mm/ksm.c, mm/huge_memory.c). */
const advices = new Map<number, Advice>([
  [0, advice([], ['sr', 'rr'])],
  [1, advice(['rr'], ['sr'])],
  [2, advice(['sr'], ['rr'])],
  [10, advice(['dc'], [])],
  [11, { ...advice([], ['dc']), takes: hasNone('io', 'pf') }],
  [12, { ...advice(['mg'], []), heeds: hasNone('sh', 'ms', 'pf', 'io', 'de', 'mm', 'ht', 'mg') }],
  [13, advice([], ['mg'])],
  [14, { ...advice(['hg'], ['nh']), takes: hasNone('io', 'pf', 'de') }],
  [15, { ...advice(['nh'], ['hg']), takes: hasNone('io', 'pf', 'de') }],
  [16, advice(['dd'], [])],
  [17, { ...advice([], ['dd']), takes: hasNone('io', 'pf', 'de', 'dp') }],
  [18, { ...advice(['wf'], []), takes: (vma) => vma.backing.kind === 'anonymous' }],
  [19, { ...advice([], ['wf']), takes: hasNone('dp') }],
]);

/** Guards are pages; newer kernels show that a mapping may have some. */
function guard(
  { process: { space, machine } }: Caller,
  range: Range,
  inside: readonly Vma[],
): void {
  space.guard(range);
  const [major, minor] = machine.system.kernel;
  if (major < 6 || (major === 6 && minor < 18)) return;
  for (const whole of inside) {
    space.update(whole, (vma) => ({ ...vma, flags: changed(vma.flags, ['gu']) }));
  }
}

function discard(caller: Caller, range: Range, inside: readonly Vma[], number: number): void {
  const { space } = caller.process;
  const pinned = number === MADV_DONTNEED ? ['lo', 'pf', 'ht'] : ['lo', 'pf', 'io', 'ht'];
  if (!inside.every(hasNone(...pinned))) refuse('EINVAL', 'its pages stay');
  const sealed = inside.filter((vma) => vma.flags.has('sl') && isPrivate(vma));
  if (sealed.some(({ flags }) => !flags.has('wr'))) refuse('EPERM', 'it is sealed');
  if (number === MADV_GUARD_INSTALL) guard(caller, range, inside);
  else space.discard(range);
}

function madvise(caller: Caller, args: Words): number {
  const { space } = caller.process;
  const number = args.int(2);
  const range = pagesOf(args.word(0), args.word(1));
  const known = advices.get(number);
  const discards = [MADV_DONTNEED, MADV_GUARD_INSTALL].includes(number);
  if (known === undefined && !discards) throw new Unmodelled(`advice ${number}`);
  if (range.start === range.end) return 0;
  const inside = space.within(range);
  if (discards) discard(caller, range, inside, number);
  if (known !== undefined) {
    if (!inside.every((vma) => known.takes?.(vma) ?? true)) refuse('EINVAL', `advice ${number}`);
    space.update(range, (vma) =>
      (known.heeds?.(vma) ?? true)
        ? { ...vma, flags: changed(vma.flags, known.add, known.remove) }
        : vma,
    );
  }
  // Where something is not mapped, the rest is done all the same.
  if (!space.covers(range)) refuse('ENOMEM', 'something is not mapped');
  return 0;
}

function lock(caller: Caller, range: Range, onFault: boolean): number {
  const { process, thread } = caller;
  const { space, limits } = process;
  const limit = limits.soft(RLIMIT_MEMLOCK);
  if (!thread.credentials.can(CAP_IPC_LOCK)) {
    if (limit === 0n) refuse('EPERM', 'nothing may be locked');
    const locked = space.vmas.filter(({ flags }) => flags.has('lo'));
    const before = locked.reduce((sum, { start, end }) => sum + end - start, 0n);
    if (before + range.end - range.start > limit) refuse('ENOMEM', 'over RLIMIT_MEMLOCK');
  }
  if (!space.covers(range)) refuse('ENOMEM', 'something is not mapped');
  space.update(range, (vma) => {
    if (!hasNone('io', 'pf', 'de', 'dp')(vma)) return vma;
    return { ...vma, flags: changed(vma.flags, onFault ? ['lo', 'lf'] : ['lo'], ['lf', 'lo']) };
  });
  return 0;
}

function mlock2(caller: Caller, args: Words): number {
  const flags = args.int(2);
  if ((flags & ~MLOCK_ONFAULT) !== 0) refuse('EINVAL', `flags ${flags}`);
  const start = args.word(0) - (args.word(0) % 4096n);
  return lock(caller, pagesOf(start, args.word(0) - start + args.word(1)), flags !== 0);
}

/** Only for mappings to come: what is there already is told mapping by mapping. */
function mlockall({ process, thread }: Caller, args: Words): number {
  const flags = args.int(0);
  if ((flags & ~MCL_ONFAULT) !== MCL_FUTURE)
    throw new Unmodelled(`mlockall(2) with flags ${flags}`);
  const limit = process.limits.soft(RLIMIT_MEMLOCK);
  if (limit === 0n && !thread.credentials.can(CAP_IPC_LOCK))
    refuse('EPERM', 'nothing may be locked');
  process.space.locksFuture = (flags & MCL_ONFAULT) === 0 ? ['lo'] : ['lo', 'lf'];
  return 0;
}

function mseal({ process: { space } }: Caller, args: Words): number {
  if (args.word(2) !== 0n) refuse('EINVAL', 'flags');
  const range = pagesOf(args.word(0), args.word(1));
  if (!space.covers(range)) refuse('ENOMEM', 'something is not mapped');
  space.update(range, (vma) => ({ ...vma, flags: changed(vma.flags, ['sl']) }));
  return 0;
}

export const adviceCalls: SystemCalls = { madvise, mlock2, mlockall, mseal, ...mmExtraCalls };
