import type { ModelThread } from '@ckpt/engine/model';
import { cString } from '../procfs/text.ts';
import { Maker } from './maker.ts';
import { addresses } from './memory.ts';

/** struct user_regs_struct (sys/user.h): index of a word. */
const register = {
  ...{ r10: 7, rax: 10, rdx: 12, rsi: 13, rdi: 14, orig_rax: 15, rip: 16, cs: 17, eflags: 18 },
  ...{ rsp: 19, ss: 20, fs_base: 21, gs_base: 22 },
} as const;
const xstateSize = 832;
const siginfoSize = 128;

type Set = (index: number, value: bigint) => void;

/** What a thread was in: running, or a call that was interrupted. */
function interrupt(maker: Maker, set: Set): void {
  const pointer = addresses.heap + BigInt(maker.below(100)) * 16n;
  switch (maker.below(6)) {
    case 0:
      set(register.orig_rax, -1n);
      break;
    case 1: // read
      set(register.orig_rax, 0n);
      set(register.rax, maker.pick([-512n, -513n]));
      break;
    case 2: // epoll_wait
      set(register.orig_rax, 232n);
      set(register.rax, maker.pick([-4n, -514n]));
      break;
    case 3: // nanosleep
      set(register.orig_rax, 35n);
      set(register.rax, -516n);
      set(register.rdi, pointer);
      set(register.rsi, maker.pick([0n, pointer + 16n]));
      maker.process.space.write(pointer, Maker.words(5n, 7n, BigInt(maker.below(4)), 9n));
      break;
    case 4: // futex
      set(register.orig_rax, 202n);
      set(register.rax, -516n);
      break;
    default: // clock_nanosleep
      set(register.orig_rax, 230n);
      set(register.rax, -516n);
      set(register.rdi, 1n);
      set(register.rsi, 0n);
      set(register.rdx, pointer);
      set(register.r10, pointer + 32n);
      maker.process.space.write(pointer + 32n, Maker.words(BigInt(1 + maker.below(9)), 3n));
  }
}

function setRegisters(maker: Maker, thread: ModelThread): void {
  const bytes = new Uint8Array(27 * 8);
  const view = new DataView(bytes.buffer);
  const set: Set = (index, value) => {
    view.setBigUint64(index * 8, BigInt.asUintN(64, value), true);
  };
  for (let index = 0; index < register.orig_rax; index++) set(index, maker.word());
  set(register.rip, addresses.code + BigInt(maker.below(0x10000)));
  set(register.cs, 0x33n);
  set(register.ss, 0x2bn);
  set(register.eflags, 0x202n | maker.pick([0n, 0x40n, 0x8d5n]));
  set(register.rsp, addresses.stackEnd - BigInt(0x1000 + maker.below(0x100) * 16));
  set(register.fs_base, maker.pick([addresses.heap, 0n]));
  set(register.gs_base, 0n);
  interrupt(maker, set);
  thread.registers = bytes;
  const xstate = new Uint8Array(xstateSize);
  const state = new DataView(xstate.buffer);
  state.setUint16(0, 0x37f, true);
  state.setUint32(24, 0x1f80, true);
  state.setBigUint64(512, maker.pick([0n, 3n, 7n]), true);
  if (maker.once(2)) xstate.set(maker.bytes(16), 160);
  if (maker.once(2)) xstate.set(maker.bytes(16), 576);
  thread.xstate = xstate;
}

function siginfo(maker: Maker): Uint8Array {
  const bytes = new Uint8Array(siginfoSize);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 32 + maker.below(32), true);
  view.setInt32(8, maker.pick([-1, 0]), true);
  view.setInt32(16, maker.below(5000), true);
  view.setBigUint64(24, maker.word(), true);
  return bytes;
}

const infos = (maker: Maker): Uint8Array[] =>
  Array.from({ length: maker.below(3) }, () => siginfo(maker));

type Schedule = readonly [policy: number, flags: number, nice: number, priority: number];

const schedules: readonly [Schedule, ...Schedule[]] = [
  [0, 0, 0, 0],
  [0, 0, 7, 0],
  [0, 0, -5, 0],
  [3, 0, 10, 0],
  [1, 1, 0, 20],
  [2, 0, 0, 1],
  [5, 0, 0, 0],
];

function schedule(maker: Maker, thread: ModelThread): void {
  const [policy, flags, nice, priority] = maker.pick(schedules);
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 48, true);
  view.setUint32(4, policy, true);
  view.setBigUint64(8, BigInt(flags), true);
  view.setInt32(16, nice, true);
  view.setUint32(20, priority, true);
  maker.try('sched_setattr', [0, { in: bytes }, 0], thread);
  if (maker.once(3)) maker.try('ioprio_set', [1, 0, maker.pick([0x4000 | 3, 0x6000, 1])], thread);
  const mask = { in: Maker.words(BigInt(1 + maker.below(15))) };
  if (maker.once(3)) maker.must('sched_setaffinity', [0, 8, mask], thread);
}

/** All that belongs to one thread; `index` gives it places of its own in the heap. */
function dress(maker: Maker, thread: ModelThread, index: number): void {
  const own = addresses.heap + 0x1000n + BigInt(index) * 0x100n;
  setRegisters(maker, thread);
  const name = maker.pick(['program', 'worker 1', 'a (b) c', 'fifteen letters', 'new\nline']);
  maker.must('prctl', [15, { in: cString(name) }, 0, 0, 0], thread);
  maker.must('set_tid_address', [maker.pick([0n, own])], thread);
  if (maker.once(2)) maker.must('set_robust_list', [own + 16n, 24], thread);
  const stack = { in: Maker.words(addresses.heap, BigInt(maker.below(2)) << 31n, 0x1000n) };
  if (maker.once(3)) maker.must('sigaltstack', [stack, 0], thread);
  if (maker.once(2)) {
    maker.must('rseq', [own + 0x40n, 32, 0, 0x53053053], thread);
    if (maker.once(3)) maker.process.space.write(own + 0x48n, Maker.words(addresses.code + 64n));
  }
  if (maker.once(3)) maker.must('prctl', [29, 1 + maker.below(100_000), 0, 0, 0], thread);
  if (maker.once(4)) maker.must('prctl', [1, 1 + maker.below(30), 0, 0, 0], thread);
  if (maker.once(4)) maker.must('prctl', [38, 1, 0, 0, 0], thread);
  schedule(maker, thread);
  const set = { in: Maker.words(maker.word()) };
  if (maker.once(2)) maker.must('rt_sigprocmask', [2, set, 0, 8], thread);
  thread.pending = infos(maker);
}

/** Threads, each with what it may have of its own. */
export function makeThreads(maker: Maker): void {
  const { process } = maker;
  for (let count = maker.below(5); count > 0; count--) {
    const tid = process.pid + process.threads.size + maker.below(2);
    if (!process.threads.has(tid)) process.threads.set(tid, process.leader.child(tid));
  }
  for (const [index, thread] of [...process.threads.values()].entries()) {
    dress(maker, thread, index);
  }
  process.signals.pending = infos(maker);
}
