import { i32, reserved, u64 } from '../field.ts';
import { array } from '../follow.ts';
import { address, flags, objref, signals } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

/** asm/signal.h, asm-generic/signal-defs.h */
export const saFlags = {
  SA_NOCLDSTOP: 1,
  SA_NOCLDWAIT: 2,
  SA_SIGINFO: 4,
  SA_UNSUPPORTED: 0x400,
  SA_EXPOSE_TAGBITS: 0x800,
  SA_RESTORER: 0x04000000,
  SA_ONSTACK: 0x08000000,
  SA_RESTART: 0x10000000,
  SA_NODEFER: 0x40000000,
  SA_RESETHAND: 0x80000000,
};

export const Sigaction = struct(
  'sigaction',
  'struct kernel_sigaction of x86-64 (rt_sigaction(2)).',
  {
    handler: u64('0 SIG_DFL, 1 SIG_IGN, or a function', address),
    flags: u64('sa_flags', flags(saFlags, { others: true })),
    restorer: u64('sa_restorer', address),
    mask: u64('sa_mask', signals),
  },
);
export type Sigaction = Infer<typeof Sigaction>;

export const Sighand = record(
  'SIGHAND',
  601,
  'Signal dispositions of a task.',
  {
    objref: i32('number of this object', objref),
    _pad: reserved(),
  },
  [array(Sigaction, '64 of them, signal 1 first')],
);
export type Sighand = Infer<typeof Sighand>;
