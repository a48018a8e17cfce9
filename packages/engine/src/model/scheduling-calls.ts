import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCalls, Words } from './system-call.ts';
import type { Scheduling } from './thread.ts';

/** linux/sched.h */
const SCHED_FIFO = 1;
const SCHED_RR = 2;
const SCHED_DEADLINE = 6;
const policies = [0, SCHED_FIFO, SCHED_RR, 3, 5, SCHED_DEADLINE, 7];
const SCHED_FLAG_RESET_ON_FORK = 1;
/** struct sched_attr: its first version. */
const attrSize = 48;
const CAP_SYS_NICE = 23;
const RLIMIT_NICE = 13;
const RLIMIT_RTPRIO = 14;
/** ioprio_set(2) */
const IOPRIO_WHO_PROCESS = 1;
const ioClassShift = 13;
const IOPRIO_CLASS_RT = 1;
const CAP_SYS_ADMIN = 21;

const isRealtime = (policy: number): boolean => policy === SCHED_FIFO || policy === SCHED_RR;

/** @throws CkptError EINVAL, EPERM as sched_setattr(2). */
function checkScheduling({ process, thread }: Caller, next: Scheduling): void {
  const { policy, priority, nice } = next;
  const { scheduling: before, credentials } = thread;
  if (!policies.includes(policy)) refuse('EINVAL', `policy ${policy}`);
  if (policy === SCHED_DEADLINE) throw new Unmodelled('SCHED_DEADLINE');
  if (priority > 99 || isRealtime(policy) !== priority > 0)
    refuse('EINVAL', `priority ${priority}`);
  if (credentials.can(CAP_SYS_NICE)) return;
  const lowest = 20 - Number(process.limits.soft(RLIMIT_NICE));
  if (!isRealtime(policy) && nice < before.nice && nice < lowest) refuse('EPERM', `nice ${nice}`);
  if (isRealtime(policy)) {
    const limit = Number(process.limits.soft(RLIMIT_RTPRIO));
    if (policy !== before.policy && limit === 0) refuse('EPERM', 'no real-time priority');
    if (priority > before.priority && priority > limit) refuse('EPERM', `priority ${priority}`);
  }
  const resets = (flags: number): boolean => (flags & SCHED_FLAG_RESET_ON_FORK) !== 0;
  if (resets(before.flags) && !resets(next.flags)) refuse('EPERM', 'reset on fork stays');
}

function schedSetattr(caller: Caller, args: Words): number {
  const { process, thread } = caller;
  if (args.int(0) !== 0) throw new Unmodelled('scheduling of another thread');
  if (args.word(2) !== 0n) refuse('EINVAL', 'flags');
  const size = process.user.view(args.word(1), 4).getUint32(0, true) || attrSize;
  if (size < attrSize) refuse('E2BIG', 'too short a structure');
  const view = process.user.view(args.word(1), attrSize);
  const nice = Math.max(-20, Math.min(19, view.getInt32(16, true)));
  const flags = Number(view.getBigUint64(8, true));
  if ((flags & ~SCHED_FLAG_RESET_ON_FORK) !== 0) throw new Unmodelled(`scheduling flags ${flags}`);
  const policy = view.getUint32(4, true);
  const next = { policy, flags, nice, priority: view.getUint32(20, true) };
  checkScheduling(caller, next);
  // A real-time thread keeps the nice value that it had.
  const kept = isRealtime(policy) ? thread.scheduling.nice : nice;
  thread.scheduling = { ...next, nice: kept };
  return 0;
}

function schedGetattr({ process, thread }: Caller, args: Words): number {
  if (args.unsigned(2) < attrSize || args.word(3) !== 0n) refuse('EINVAL', 'size or flags');
  const { policy, flags, nice, priority } = thread.scheduling;
  process.user.put(args.word(1), attrSize, (view) => {
    view.setUint32(0, attrSize, true);
    view.setUint32(4, policy, true);
    view.setBigUint64(8, BigInt(flags), true);
    view.setInt32(16, isRealtime(policy) ? 0 : nice, true);
    view.setUint32(20, priority, true);
  });
  return 0;
}

/** Processors that the machine has, one bit each. */
function processors({ machine }: Caller['process'], size: number): Uint8Array {
  const mask = new Uint8Array(size);
  mask.set(machine.processors.subarray(0, size));
  return mask;
}

function schedSetaffinity({ process, thread }: Caller, args: Words): number {
  const asked = process.user.read(args.word(2), args.size(1));
  const there = processors(process, Math.max(asked.length, process.machine.processors.length));
  const mask = there.map((byte, index) => byte & (asked[index] ?? 0));
  if (mask.every((byte) => byte === 0)) refuse('EINVAL', 'none of these processors is there');
  thread.affinity = mask.slice(0, process.machine.processors.length);
  return 0;
}

function ioprioSet({ process: { threads }, thread }: Caller, args: Words): number {
  const isSelf = args.int(1) === 0 || args.int(1) === thread.tid;
  if (args.int(0) !== IOPRIO_WHO_PROCESS || !isSelf || threads.size === 0) {
    throw new Unmodelled('I/O priority of others');
  }
  const value = args.int(2);
  const kind = value >> ioClassShift;
  const level = value & 7;
  if (kind < 0 || kind > 3 || (kind === 0 && level !== 0)) refuse('EINVAL', `priority ${value}`);
  const may = [CAP_SYS_ADMIN, CAP_SYS_NICE].some((bit) => thread.credentials.can(bit));
  if (kind === IOPRIO_CLASS_RT && !may) refuse('EPERM', 'real-time I/O');
  thread.ioPriority = value;
  return 0;
}

export const schedulingCalls: SystemCalls = {
  sched_setattr: schedSetattr,
  sched_getattr: schedGetattr,
  sched_setaffinity: schedSetaffinity,
  ioprio_set: ioprioSet,
  ioprio_get: ({ thread }) => thread.ioPriority,
};
