import { i32, reserved, u64 } from '../field.ts';
import { payload } from '../follow.ts';
import { address, hex } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

/** Raw payload: the xstate area, NT_X86_XSTATE. */
export const CKPT_HDR_CPU_FPU = 201;

const register = (doc: string) => u64(doc, hex);

/** struct user_regs_struct (sys/user.h) of x86-64 in its order, after `tid`. */
export const Cpu = record(
  'CPU',
  108,
  'General registers of a thread: struct user_regs_struct (sys/user.h) in its order.',
  {
    tid: i32('thread id'),
    _pad: reserved(),
    r15: register('r15'),
    r14: register('r14'),
    r13: register('r13'),
    r12: register('r12'),
    rbp: register('rbp'),
    rbx: register('rbx'),
    r11: register('r11'),
    r10: register('r10'),
    r9: register('r9'),
    r8: register('r8'),
    rax: register('rax; -516 .. -512: an interrupted system call'),
    rcx: register('rcx'),
    rdx: register('rdx'),
    rsi: register('rsi'),
    rdi: register('rdi'),
    orig_rax: register('number of the system call; -1: none'),
    rip: u64('rip', address),
    cs: register('cs'),
    eflags: register('eflags'),
    rsp: u64('rsp', address),
    ss: register('ss'),
    fs_base: u64('fs base: the thread pointer', address),
    gs_base: u64('gs base', address),
    ds: register('ds'),
    es: register('es'),
    fs: register('fs'),
    gs: register('gs'),
  },
  [payload('CPU_FPU', 'xstate area (PTRACE_GETREGSET, NT_X86_XSTATE), not compacted')],
);
export type Cpu = Infer<typeof Cpu>;
