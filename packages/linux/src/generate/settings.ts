import { cString } from '../procfs/text.ts';
import { home } from './machine.ts';
import { Maker } from './maker.ts';
import { addresses } from './memory.ts';

const AT_FDCWD = -100;

function setActions(maker: Maker): void {
  for (let count = maker.below(8); count > 0; count--) {
    const signal = 1 + maker.below(64);
    const handler = maker.pick([1n, addresses.code + 0x100n]);
    const flags = maker.pick([0n, 0x1400_0004n, 0x0400_0000n]);
    const action = Maker.words(handler, flags, addresses.code, maker.word());
    // Nobody changes what SIGKILL and SIGSTOP do.
    maker.try('rt_sigaction', [signal, { in: action }, 0, 8]);
  }
}

function setTimers(maker: Maker): void {
  for (const which of [0, 1, 2]) {
    const value = Maker.words(BigInt(maker.below(3)), 5n, BigInt(1 + maker.below(100)), 17n);
    if (maker.once(4)) maker.must('setitimer', [which, { in: value }, 0]);
  }
  for (let count = maker.below(4); count > 0; count--) {
    const event = new Uint8Array(64);
    const view = new DataView(event.buffer);
    view.setBigUint64(0, maker.word(), true);
    view.setInt32(8, 34 + maker.below(10), true);
    const threads = [...maker.process.threads.keys()];
    const how = maker.pick([0, 1, 4, 2]);
    view.setInt32(12, how, true);
    if (how === 4) view.setInt32(16, threads[maker.below(threads.length)] ?? 0, true);
    const { out } = maker.try('timer_create', [maker.pick([1, 0, 7]), { in: event }, { out: 4 }]);
    const id = new DataView((out[0] ?? new Uint8Array(4)).buffer).getInt32(0, true);
    const value = Maker.words(BigInt(maker.below(3)), 5n, BigInt(maker.below(100)), 17n);
    if (maker.once(2)) maker.must('timer_settime', [id, 0, { in: value }, 0]);
    // A gap in their numbers.
    if (maker.once(4)) maker.must('timer_delete', [id]);
  }
}

/** RLIMIT_FSIZE, STACK, CORE, NOFILE, SIGPENDING. */
const limited = [1, 3, 4, 7, 11] as const;

function setLimits(maker: Maker): void {
  for (let count = maker.below(3); count > 0; count--) {
    const hard = BigInt(1500 + maker.below(1000));
    const limit = Maker.words(hard - BigInt(maker.below(400)), hard);
    maker.try('prlimit64', [0, maker.pick(limited), { in: limit }, 0]);
  }
}

/** Somebody else than root, with or without some of what root may do. */
export function becomeSomebody(maker: Maker): void {
  if (!maker.once(4)) return;
  const groups = new Uint8Array(Uint32Array.from([20, 30, 1000]).buffer);
  maker.must('setgroups', [maker.below(4), { in: groups }]);
  if (maker.once(3)) maker.must('prctl', [24, maker.below(40), 0, 0, 0]);
  if (maker.once(2)) maker.must('prctl', [28, maker.pick([4, 0x10]), 0, 0, 0]);
  maker.must('setresgid', [1000, 1000, maker.pick([1000, 0])]);
  maker.must('setresuid', [1000, 1000, maker.pick([1000, 0])]);
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, 0x20080522, true);
  const some = maker.pick([0, 1 << 10, (1 << 10) | (1 << 5)]);
  const sets = new Uint8Array(Uint32Array.from([some, some, some, 0, 0, 0]).buffer);
  // Without having kept them, there are none to be had.
  maker.try('capset', [{ in: header }, { in: sets }]);
  if (maker.once(2)) maker.try('prctl', [47, 2, 10, 0, 0]);
}

/** What all threads share beside memory and descriptors. */
export function makeSettings(maker: Maker): void {
  const { process } = maker;
  setActions(maker);
  setTimers(maker);
  setLimits(maker);
  maker.must('umask', [maker.pick([0o022, 0, 0o077])]);
  maker.must('personality', [maker.pick([0, 0x4_0000])]);
  const directory = maker.must('openat', [AT_FDCWD, { in: cString(maker.pick(['/', home])) }, 0]);
  maker.must('fchdir', [directory]);
  maker.must('close', [directory]);
  const leads = maker.below(3);
  if (leads === 1) maker.must('setsid', []);
  if (leads === 2) maker.must('setpgid', [0, 0]);
  if (maker.once(6)) maker.must('prctl', [36, 1, 0, 0, 0]);
  if (maker.once(6)) maker.must('prctl', [41, 1, maker.pick([0, 2]), 0, 0]);
  if (maker.once(6)) maker.must('prctl', [33, 1, maker.below(3), 0, 0]);
  maker.must('prctl', [4, maker.pick([1, 0]), 0, 0, 0]);
  process.oomScoreAdjust = maker.pick([0, 500]);
  process.isStopped = maker.once(6);
  if (maker.once(6)) {
    const day = 86_400_000_000_001n;
    process.clocks = { monotonic: BigInt(maker.below(99)) * day, boottime: -day };
  }
}
