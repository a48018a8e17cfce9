import { i32, u32, u64 } from '../field.ts';
import { maybe, payload } from '../follow.ts';
import { device, flags, objref } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

export const ttyFlags = { CONTROLLING: 1, FOREGROUND: 2, SESSION: 4 };

/** A terminal that the task was started from: the invoker's own at restart. */
export const Tty = record(
  'TTY',
  306,
  'A terminal that the task was started from; at restart, the one of the invoker.',
  {
    objref: i32('number of this object', objref),
    flags: u32(
      'CONTROLLING: of its session; FOREGROUND: the task led the process group in its foreground; ' +
        'SESSION: the task led the session',
      flags(ttyFlags),
    ),
    rdev: u64('device number', device),
  },
  [
    payload('FILE_NAME', 'path of the device node'),
    maybe(
      payload(
        'BUFFER',
        'settings that the task had made as its foreground: struct termios (ioctl_tty(2), TCGETS)',
      ),
    ),
  ],
);
export type Tty = Infer<typeof Tty>;
