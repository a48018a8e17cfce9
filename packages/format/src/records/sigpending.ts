import { bytes, i32, reserved } from '../field.ts';
import { array } from '../follow.ts';
import { signal } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

export const Siginfo = struct('siginfo', 'siginfo_t of the kernel, 128 bytes (sigaction(2)).', {
  signo: i32('signal', signal),
  errno: i32('si_errno'),
  code: i32('si_code'),
  rest: bytes(116, 'the union, as PTRACE_PEEKSIGINFO gives it'),
});
export type Siginfo = Infer<typeof Siginfo>;

export const Sigpending = record(
  'SIGPENDING',
  604,
  'Signals that were sent and not taken yet.',
  {
    tid: i32('thread that they were sent to; 0: to the whole process'),
    _pad: reserved(),
  },
  [array(Siginfo, 'in the order in which they were sent')],
);
export type Sigpending = Infer<typeof Sigpending>;
