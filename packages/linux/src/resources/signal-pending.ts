import type { CheckpointScope, Resource, RestoreScope } from '@ckpt/engine';
import { Siginfo, Sigpending } from '@ckpt/format';

/** siginfo_t, bytes. */
const siginfoSize = 128;
/** Signals that a task may have pending: RLIMIT_SIGPENDING of all processes of a user. */
const pendingMax = 1 << 18;
const signalMax = 64;

function emit(scope: CheckpointScope, tid: number, infos: readonly Uint8Array[]): void {
  if (infos.length === 0) return;
  scope.emit(Sigpending, { tid, _pad: 0 });
  scope.emitArray(
    Siginfo,
    infos.map((info) => Siginfo.decode(info)),
  );
}

/**
 * Pending signals of a thread, or with tid 0 of the whole process, in their order.
 * @throws CkptError EINVAL for numbers that are no signals.
 */
export function pendingOf(scope: RestoreScope, tid: number): readonly Uint8Array[] {
  const records = scope.document.all(Sigpending).filter(({ value }) => value.tid === tid);
  const infos = records.flatMap((record) => {
    const elements = record.arrayOf(Siginfo);
    const odd = elements.find(({ signo }) => signo < 1 || signo > signalMax);
    if (odd !== undefined) throw record.invalid('signo', `${odd.signo} is no signal`);
    if (elements.length > pendingMax) {
      throw record.invalid('count', `${elements.length} pending signals`, 'E2BIG');
    }
    return elements;
  });
  return infos.map((info) => Siginfo.encode(info).subarray(0, siginfoSize));
}

/**
 * Signals that were sent and not taken yet.
 *
 * Image: {@link Sigpending} of the process, then of its threads. They are queued again when a
 * thread resumes.
 */
export const signalPending: Resource = {
  kind: 'pending signals',
  records: [Sigpending],
  checkpoint(scope) {
    const { frozen, task } = scope;
    emit(scope, 0, frozen.pendingShared(task));
    for (const thread of task.threads) {
      emit(scope, thread.tid, frozen.thread(task, thread).pending);
    }
  },
  restore(scope) {
    const known = new Set(scope.document.all(Sigpending).map(({ value }) => value.tid));
    for (const tid of known) pendingOf(scope, tid);
  },
};
