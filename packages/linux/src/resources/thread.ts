import type { CheckpointScope, ImageRecord, Resource, RestoreScope } from '@ckpt/engine';
import {
  CKPT_HDR_BUFFER,
  CkptError,
  Cpu,
  ProcessTask,
  RestartBlock,
  Thread,
  Tree,
  TreeThread,
  schedPolicies,
  threadFlags,
} from '@ckpt/format';
import { parseStatus } from '../procfs/status.ts';
import { checkRegisters, checkpointCpu, cpuOf, registersOf } from './cpu.ts';
import { commOf, required } from './facts.ts';
import { pendingOf } from './signal-pending.ts';
import { resumeCall } from './sleep-resume.ts';
import { restartBlockOf, type ReadMemory } from './sleep.ts';
import { asksThread, restoreAttributes, restoreName } from './thread-attributes.ts';
import { addressMax } from './vma-classify.ts';
import { fitXstate } from './xstate.ts';

type HostThread = CheckpointScope['task']['threads'][number];

const view = (bytes: Uint8Array | undefined, size: number): DataView => {
  const whole = bytes !== undefined && bytes.length >= size ? bytes : new Uint8Array(size);
  return new DataView(whole.buffer, whole.byteOffset, whole.length);
};

/** Answers to {@link asksThread}. */
function readAnswers(scope: CheckpointScope, thread: HostThread) {
  const answers = scope.answers(thread);
  const out = (index: number, size: number): DataView => view(answers[index]?.out[0], size);
  const result = (index: number): bigint => answers[index]?.result ?? -1n;
  const stack = out(0, 24);
  const scheduling = out(5, 48);
  if (result(1) < 0n) {
    scope.refuse({
      thing: `thread ${thread.tid}`,
      reason: 'this kernel does not tell set_tid_address(2) (CONFIG_CHECKPOINT_RESTORE)',
      remedy: 'use a kernel with CONFIG_CHECKPOINT_RESTORE',
    });
  }
  return {
    altstack: stack.getBigUint64(0, true),
    altstack_flags: stack.getUint32(8, true),
    altstack_size: stack.getBigUint64(16, true),
    clear_child_tid: out(1, 8).getBigUint64(0, true),
    parent_death_signal: out(2, 4).getUint32(0, true),
    timer_slack: result(3) < 0n ? 0n : result(3),
    io_priority: result(4) < 0n ? 0 : Number(result(4)),
    policy: scheduling.getUint32(4, true),
    sched_flags: Number(scheduling.getBigUint64(8, true)),
    nice: scheduling.getInt32(16, true),
    priority: scheduling.getInt32(20, true),
  };
}

/** Processors it may run on; undefined where it may use those that the checkpointer may. */
function affinityOf(scope: CheckpointScope, mask: Uint8Array): Uint8Array | undefined {
  const { self } = scope.system;
  if (self === undefined) return mask;
  const own = parseStatus(self.status).cpusAllowed;
  const same = own.length === mask.length && own.every((byte, index) => byte === mask[index]);
  return same ? undefined : mask;
}

function checkpointThread(scope: CheckpointScope, thread: HostThread): void {
  const { frozen, task } = scope;
  const { tid } = thread;
  const state = frozen.thread(task, thread);
  const status = parseStatus(required(frozen, task, `task/${tid}/status`));
  const answers = readAnswers(scope, thread);
  const refuse = (reason: string, remedy: string): void => {
    scope.refuse({ thing: `thread ${tid}`, reason, remedy });
  };
  if (answers.policy === schedPolicies.DEADLINE) {
    refuse('it runs under SCHED_DEADLINE', `chrt --other --pid 0 ${tid}`);
  }
  if (status.shadowStack !== '') {
    refuse('it has a shadow stack', 'run with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off');
  }
  scope.emit(Thread, {
    tid,
    flags: 0,
    comm: commOf(frozen, task, tid),
    robust_list: state.robustList.head,
    robust_list_length: BigInt(state.robustList.length),
    rseq: state.rseq.address,
    rseq_size: state.rseq.size,
    rseq_signature: state.rseq.signature,
    rseq_flags: state.rseq.flags,
    rseq_cs: state.rseq.criticalSection,
    signal_mask: state.signalMask,
    no_new_privs: status.noNewPrivs,
    exit_status: 0,
    ...answers,
  });
  const affinity = affinityOf(scope, status.cpusAllowed);
  if (affinity !== undefined) scope.emitBytes(CKPT_HDR_BUFFER, affinity);
  const cpu = cpuOf(tid, state.registers);
  checkpointCpu(scope, thread, cpu, state.xstate);
  const block = restartBlockOf(cpu, reader(scope), state.asleep);
  if (block !== undefined) scope.emit(RestartBlock, block);
}

/** A leader that has exited while others run on: what the kernel keeps of it. */
function checkpointExited(scope: CheckpointScope, status: number): void {
  const { frozen, task } = scope;
  if (task.stopped) {
    scope.refuse({
      thing: `thread ${task.pid}`,
      reason: 'it has exited while others run on, and the process is stopped',
      remedy: `kill -CONT ${task.pid}`,
    });
  }
  scope.emit(Thread, {
    ...{ tid: task.pid, flags: threadFlags.EXITED, comm: commOf(frozen, task, task.pid) },
    ...{ clear_child_tid: 0n, robust_list: 0n, robust_list_length: 0n, rseq: 0n, rseq_size: 0 },
    ...{ rseq_signature: 0, rseq_flags: 0, altstack_flags: 0, rseq_cs: 0n, altstack: 0n },
    ...{ altstack_size: 0n, signal_mask: 0n, timer_slack: 0n, policy: 0, priority: 0, nice: 0 },
    ...{ sched_flags: 0, io_priority: 0, parent_death_signal: 0, no_new_privs: 0 },
    exit_status: status,
  });
}

function reader(scope: CheckpointScope): ReadMemory {
  return (address, length) => {
    try {
      return scope.frozen.memory(scope.task, address, length);
    } catch (error) {
      // Registers lead anywhere: an address without memory behind it is an answer, too.
      if (error instanceof CkptError) return undefined;
      throw error;
    }
  };
}

/** The only record of a thread. @throws CkptError EINVAL when there is none, or a second one. */
function only<T extends { readonly tid: number }>(
  records: readonly ImageRecord<T>[],
  tid: number,
  from: ImageRecord,
  name: string,
): ImageRecord<T> {
  const [first, second] = records.filter(({ value }) => value.tid === tid);
  if (first === undefined) throw from.invalid('tid', `thread ${tid} has no ${name}`);
  if (second !== undefined) throw second.invalid('tid', `a second ${name} of thread ${tid}`);
  return first;
}

/** It does what a leader must do, and then exits: of its own it needs no more than its name. */
function restoreExited(scope: RestoreScope, record: ImageRecord<Thread>): void {
  const { tid, exit_status: status } = record.value;
  if (tid !== scope.pid) throw record.invalid('flags', `thread ${tid} has exited: it is no leader`);
  if (scope.document.all(Thread).length < 2) {
    throw record.invalid('flags', 'the only thread has exited');
  }
  if (status > 0xff00 || (status & 0xff) !== 0) {
    throw record.invalid('exit_status', `no thread exits alone with status ${status}`);
  }
  if (scope.document.one(ProcessTask).value.stopped !== 0) {
    throw record.invalid('flags', 'the leader of a stopped process has exited', 'ENOSYS');
  }
  restoreName(scope, record);
  scope.step('last', {
    op: 'die',
    on: tid,
    from: { position: record.position, path: `thread ${tid}` },
    status,
    pendingShared: pendingOf(scope, 0),
  });
}

function restoreThread(scope: RestoreScope, record: ImageRecord<Thread>): void {
  if ((record.value.flags & threadFlags.EXITED) !== 0) {
    restoreExited(scope, record);
    return;
  }
  const { document, pid } = scope;
  const { tid, rseq, rseq_cs: section, signal_mask: signalMask } = record.value;
  const cpuRecord = only(document.all(Cpu), tid, record, 'CPU');
  const block = document.all(RestartBlock).find(({ value }) => value.tid === tid);
  const { cpu, sleep } = resumeCall(scope, checkRegisters(cpuRecord), block);
  if (rseq >= addressMax) throw record.invalid('rseq', rseq.toString(16));
  restoreAttributes(scope, record);
  scope.step('last', {
    op: 'resume',
    on: tid,
    from: { position: record.position, path: `thread ${tid}` },
    registers: registersOf(cpu),
    xstate: fitXstate(scope, cpuRecord),
    signalMask,
    // Registering the area has put 0 there.
    words: rseq !== 0n && section !== 0n ? [{ address: rseq + 8n, value: section }] : [],
    pending: pendingOf(scope, tid),
    pendingShared: tid === pid ? pendingOf(scope, 0) : [],
    ...(sleep === undefined ? {} : { sleep }),
    stopped: document.one(ProcessTask).value.stopped !== 0,
  });
}

/**
 * Threads: registers, mask, and what else belongs to one of them.
 *
 * Image: for each {@link Thread}, its affinity mask if it has one of its own, {@link Cpu} with the
 * xstate area, and a {@link RestartBlock} where a sleep was interrupted. Not saved: processor time
 * used so far, utilization clamps, permission for AMX.
 */
export const thread: Resource = {
  kind: 'thread',
  records: [Thread, Cpu, RestartBlock],
  asksThread,
  checkpoint(scope) {
    const { exited, threads } = scope.task;
    if (exited !== undefined) checkpointExited(scope, exited.status);
    for (const one of threads) checkpointThread(scope, one);
  },
  restore(scope) {
    const tree = scope.document.one(Tree);
    const records = scope.document.all(Thread);
    const threads = tree.arrayOf(TreeThread);
    for (const { tid } of threads) restoreThread(scope, only(records, tid, tree, 'THREAD'));
    if (records.length !== threads.length) {
      throw tree.invalid('threads', `${records.length} THREAD records for ${threads.length}`);
    }
  },
};
