import type { ImageRecord, RestoreScope } from '@ckpt/engine';
import { Tty, ttyFlags } from '@ckpt/format';
import type { Stat } from '../procfs/stat.ts';

/** ioctl_tty(2) */
const TIOCSCTTY = 0x540e;
const TIOCSPGRP = 0x5410;

/** {@link ttyFlags} of the terminal of a task's session. */
export function jobFlags({ pid, pgid, sid, foreground }: Stat): number {
  const leads = pgid === pid && foreground === pgid;
  return (
    ttyFlags.CONTROLLING | (leads ? ttyFlags.FOREGROUND : 0) | (sid === pid ? ttyFlags.SESSION : 0)
  );
}

const word = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
};

/**
 * Plans what the terminal is to the task: that of the session which it leads, as far as nobody
 * has it, or the foreground for its process group, as far as the invoker has that to give.
 *
 * @param fd a descriptor of the terminal, once all are placed.
 */
export function restoreJob(scope: RestoreScope, record: ImageRecord<Tty>, fd: number): void {
  const { CONTROLLING, FOREGROUND, SESSION } = ttyFlags;
  const [first] = scope.document.all(Tty).filter(({ value }) => (value.flags & CONTROLLING) !== 0);
  if (first !== record) return;
  const { flags } = record.value;
  if ((flags & SESSION) !== 0) {
    scope.call('last', record, 'ioctl', [fd, TIOCSCTTY, 0], {
      failure: 'warn',
      what:
        'its session gets no terminal of its own, and so no /dev/tty: whoever restarts it keeps ' +
        'this one',
    });
    return;
  }
  if ((flags & FOREGROUND) === 0) return;
  const { foreground, detached } = scope.options;
  if (foreground === true && detached !== true) {
    // Last of all: from here on it gets what is typed. SIGTTOU is blocked while a plan is run.
    scope.call('last', record, 'ioctl', [fd, TIOCSPGRP, { blob: word(scope.pid) }], {
      failure: 'warn',
      what: 'the foreground of its terminal',
    });
  } else if (foreground !== undefined) {
    scope.note(
      'the process was in the foreground of its terminal, and comes back in the background: it ' +
        'stops when it reads from there',
    );
  }
}
