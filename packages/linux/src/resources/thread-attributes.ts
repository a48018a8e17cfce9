import type { Call, ImageRecord, RestoreScope } from '@ckpt/engine';
import { CKPT_HDR_BUFFER, schedPolicies, type Thread } from '@ckpt/format';

/** prctl(2) */
const PR_SET_PDEATHSIG = 1;
const PR_GET_PDEATHSIG = 2;
const PR_SET_NAME = 15;
const PR_SET_TIMERSLACK = 29;
const PR_GET_TIMERSLACK = 30;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_TID_ADDRESS = 40;

/** ioprio_get(2): one thread. */
const IOPRIO_WHO_PROCESS = 1;

/** struct sched_attr (linux/sched/types.h): bytes of its first version. */
const schedAttrSize = 48;
/** stack_t of sigaltstack(2), bytes. */
const stackSize = 24;
const SS_ONSTACK = 1;
const SS_DISABLE = 2;

/** Bytes of an affinity mask: 8192 processors, what x86-64 can be configured for. */
const affinityMax = 1024;

/** What only the thread itself can tell, in the order of {@link readAnswers}. */
export const asksThread: readonly Call[] = [
  { call: 'sigaltstack', args: [0, { out: stackSize }] },
  { call: 'prctl', args: [PR_GET_TID_ADDRESS, { out: 8 }, 0, 0, 0] },
  { call: 'prctl', args: [PR_GET_PDEATHSIG, { out: 4 }, 0, 0, 0] },
  { call: 'prctl', args: [PR_GET_TIMERSLACK, 0, 0, 0, 0] },
  { call: 'ioprio_get', args: [IOPRIO_WHO_PROCESS, 0] },
  { call: 'sched_getattr', args: [0, { out: schedAttrSize }, schedAttrSize, 0] },
];

type Thing = ImageRecord<Thread>;

function restoreAltstack(scope: RestoreScope, record: Thing, on: number): void {
  const { altstack, altstack_flags: flags, altstack_size: size } = record.value;
  if ((flags & SS_DISABLE) !== 0) return;
  const bytes = new Uint8Array(stackSize);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, altstack, true);
  // That it runs on it now, the kernel sees by itself.
  view.setUint32(8, (flags & ~SS_ONSTACK) >>> 0, true);
  view.setBigUint64(16, size, true);
  scope.call('thread', record, 'sigaltstack', [{ blob: bytes }, 0], {
    on,
    what: 'alternate signal stack',
  });
}

/** Scheduling is fatal where it was chosen, and said where it is what everybody has. */
function restoreScheduling(scope: RestoreScope, record: Thing, on: number): void {
  const { policy, priority, nice, sched_flags: flags, io_priority: io } = record.value;
  if (policy === schedPolicies.DEADLINE) {
    throw record.invalid('policy', 'SCHED_DEADLINE cannot be given again', 'ENOSYS');
  }
  const bytes = new Uint8Array(schedAttrSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, schedAttrSize, true);
  view.setUint32(4, policy, true);
  view.setBigUint64(8, BigInt(flags), true);
  view.setInt32(16, nice, true);
  view.setUint32(20, priority, true);
  const usual = policy === schedPolicies.OTHER && nice === 0 && flags === 0;
  scope.call('thread', record, 'sched_setattr', [0, { blob: bytes }, 0], {
    on,
    failure: usual ? 'warn' : 'fatal',
    what: `scheduling policy ${policy}, nice ${nice} of thread ${on}`,
  });
  if (io !== 0) {
    scope.call('thread', record, 'ioprio_set', [IOPRIO_WHO_PROCESS, 0, io], {
      on,
      what: `I/O priority ${io} of thread ${on}`,
    });
  }
}

function restoreAffinity(scope: RestoreScope, record: Thing, on: number): void {
  if (!record.following.some(({ type }) => type === CKPT_HDR_BUFFER)) return;
  const mask = record.bytesOf(CKPT_HDR_BUFFER);
  if (mask.length === 0 || mask.length > affinityMax || mask.length % 8 !== 0) {
    throw record.invalid('affinity', `an affinity mask of ${mask.length} bytes`);
  }
  scope.call('thread', record, 'sched_setaffinity', [0, mask.length, { blob: mask }], {
    on,
    what: `processors of thread ${on} (does this machine have them?)`,
  });
}

function restoreRseq(scope: RestoreScope, record: Thing, on: number): void {
  const { rseq, rseq_size: size, rseq_signature: signature } = record.value;
  if (rseq === 0n) return;
  scope.call('thread', record, 'rseq', [rseq, size, 0, signature], {
    on,
    what: `restartable sequences of thread ${on}`,
  });
}

export function restoreName(scope: RestoreScope, record: Thing): void {
  const { comm, tid: on } = record.value;
  scope.call('thread', record, 'prctl', [PR_SET_NAME, { blob: comm }, 0, 0, 0], { on });
}

/** Plans all that a thread has beside registers and signals, on the thread itself. */
export function restoreAttributes(scope: RestoreScope, record: Thing): void {
  const thread = record.value;
  const on = thread.tid;
  const prctl = (section: 'thread' | 'last', what: string, ...args: (number | bigint)[]) => {
    scope.call(section, record, 'prctl', [...args, 0, 0, 0, 0].slice(0, 5), { on, what });
  };
  scope.call('thread', record, 'set_tid_address', [thread.clear_child_tid], { on, expect: on });
  restoreName(scope, record);
  if (thread.robust_list !== 0n) {
    const args = [thread.robust_list, thread.robust_list_length];
    scope.call('thread', record, 'set_robust_list', args, { on });
  }
  restoreAltstack(scope, record, on);
  restoreRseq(scope, record, on);
  if (thread.timer_slack !== 0n) {
    prctl('thread', 'timer slack', PR_SET_TIMERSLACK, thread.timer_slack);
  }
  restoreScheduling(scope, record, on);
  restoreAffinity(scope, record, on);
  if (thread.no_new_privs > 0) prctl('last', 'no_new_privs', PR_SET_NO_NEW_PRIVS, 1);
  // A change of credentials takes it away, so it comes after them.
  if (thread.parent_death_signal > 0 && scope.options.detached === true) {
    const signal = `signal ${thread.parent_death_signal}`;
    scope.note(
      `thread ${on} gets no ${signal} when its parent ends: detached, its parent has ended`,
    );
  } else if (thread.parent_death_signal > 0) {
    prctl('last', 'parent-death signal', PR_SET_PDEATHSIG, thread.parent_death_signal);
    scope.note(`thread ${on} gets signal ${thread.parent_death_signal} when its new parent ends`);
  }
}
