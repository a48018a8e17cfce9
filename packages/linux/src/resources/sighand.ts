import type { Call, Resource } from '@ckpt/engine';
import { Sigaction, Sighand } from '@ckpt/format';

const signals = Array.from({ length: 64 }, (_, index) => index + 1);
const SIGKILL = 9;
const SIGSTOP = 19;
/** sigset_t of the kernel, bytes. */
const maskSize = 8;

const asksTask: readonly Call[] = signals.map((signal) => ({
  call: 'rt_sigaction',
  args: [signal, 0, { out: Sigaction.size }, maskSize],
}));

/**
 * Signal dispositions.
 *
 * Image: {@link Sighand}, then 64 actions.
 */
export const sighand: Resource = {
  kind: 'signal actions',
  records: [Sighand],
  asksTask,
  checkpoint(scope) {
    const { objref } = scope.objhash.of('sighand', String(scope.task.pid));
    scope.emit(Sighand, { objref, _pad: 0 });
    const answers = scope.answers();
    scope.emitArray(
      Sigaction,
      signals.map((_, index) =>
        Sigaction.decode(answers[index]?.out[0] ?? new Uint8Array(Sigaction.size)),
      ),
    );
  },
  restore(scope) {
    const record = scope.document.one(Sighand);
    const actions = record.arrayOf(Sigaction);
    if (actions.length !== signals.length) {
      throw record.invalid('count', `${actions.length} actions for ${signals.length} signals`);
    }
    for (const [index, action] of actions.entries()) {
      const signal = index + 1;
      // Whose action nobody can change.
      if (signal === SIGKILL || signal === SIGSTOP) continue;
      const args = [signal, { blob: Sigaction.encode(action) }, 0, maskSize];
      scope.call('process', record, 'rt_sigaction', args, { what: `action of signal ${signal}` });
    }
  },
};
