import { Container, Task } from '@ckpt/format';
import { decodeText } from '@ckpt/io';
import type { BaseTask } from './base-image.ts';
import type { System } from './system.ts';
import type { Opening } from './image-opening.ts';
import { checkPlan } from './plan-check.ts';
import type { CallStep, Origin, Plan, ResumeStep, Step, Value } from './plan.ts';

/** x86-64: `again: mov eax, 34 (pause); syscall; jmp again`. */
const pauseLoop = Uint8Array.of(0xb8, 0x22, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7);

/** Where the loop lives: above what vm.mmap_min_addr forbids, far from everything else. */
const codeAddress = 0x400000n;
const hole = { address: 0x10000000n, length: 16 << 20 } as const;

/** linux/prctl.h, linux/memfd.h, sys/mman.h */
const PR_SET_NAME = 15;
const MFD_CLOEXEC = 1;
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE_FIXED_ANONYMOUS = 0x2 | 0x10 | 0x20;

/** Index of a word in struct user_regs_struct (sys/user.h). */
const register = { orig_rax: 15, rip: 16, cs: 17, eflags: 18, ss: 20 } as const;

/** Registers of a thread that enters the loop. */
function registers(): Uint8Array {
  const bytes = new Uint8Array(27 * 8);
  const view = new DataView(bytes.buffer);
  const set = (index: number, value: bigint): void => {
    view.setBigUint64(index * 8, BigInt.asUintN(64, value), true);
  };
  set(register.orig_rax, -1n);
  set(register.rip, codeAddress);
  // __USER_CS and __USER_DS (asm/segment.h); interrupts on.
  set(register.cs, 0x33n);
  set(register.ss, 0x2bn);
  set(register.eflags, 0x202n);
  return bytes;
}

/** An xstate area in its initial state: no component in use, the default control words. */
function xstate({ cpu }: System): Uint8Array {
  const legacyAndHeader = 576;
  const bytes = new Uint8Array(Math.max(cpu.xstateSize, legacyAndHeader));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x37f, true);
  view.setUint32(24, 0x1f80, true);
  return bytes;
}

/** Steps that put the loop into a page of the new task. */
function loopSteps(call: (name: string, args: readonly Value[]) => Value, page: number): void {
  const protection = PROT_READ | PROT_WRITE;
  call('mmap', [codeAddress, page, protection, MAP_PRIVATE_FIXED_ANONYMOUS, -1, 0]);
  const name = Uint8Array.of(0x63, 0x6b, 0x70, 0x74, 0);
  const fd = call('memfd_create', [{ blob: name }, MFD_CLOEXEC]);
  call('pwrite64', [fd, { blob: pauseLoop }, pauseLoop.length, 0]);
  call('pread64', [fd, codeAddress, pauseLoop.length, 0]);
  call('close', [fd]);
  call('mprotect', [codeAddress, page, PROT_READ | PROT_EXEC]);
}

export interface BaseGround {
  readonly system: System;
  readonly opening: Opening;
  /** `total` of the stream where the image starts. */
  readonly start: number;
}

/** What the image was written on, where that is not this machine: no reason to refuse it. */
function strangers(opening: Opening, { uts }: System): readonly string[] {
  return (['machine', 'release', 'version'] as const).flatMap((name) => {
    const was = decodeText(opening[name]);
    return was === uts[name] ? [] : [`the image is of ${name} ${was}, this is ${uts[name]}`];
  });
}

/**
 * Plan for an image of revision 3, which holds no program: a task that pauses, under the name and
 * with the tid pointers of the image, under any pid.
 */
export function planBase({ task, comm }: BaseTask, { system, opening, start }: BaseGround): Plan {
  const beforeTask = 275 + Container.size;
  const from: Origin = { position: start + beforeTask, path: 'TASK' };
  const name: Origin = { position: start + beforeTask + Task.size, path: 'comm' };
  const steps: Step[] = [];
  const base = (op: string, origin = from) => ({
    id: `${op}-${steps.length + 1}`,
    on: 0,
    from: origin,
  });
  const call = (id: string, args: readonly Value[], origin = from): Value => {
    const more = { op: 'call', call: id, args, failure: 'fatal', what: id } as const;
    const step: CallStep = { ...base(id, origin), ...more };
    steps.push(step);
    return { result: step.id };
  };
  const setChildTid = task.set_child_tid;
  steps.push({ ...base('spawn'), op: 'spawn', kind: 'process', pid: 0, setChildTid });
  steps.push({ ...base('wipe'), op: 'wipe', hole });
  loopSteps(call, system.pageSize);
  call('prctl', [PR_SET_NAME, { blob: comm }, 0, 0, 0], name);
  call('set_tid_address', [task.clear_child_tid]);
  steps.push({ ...base('meet'), op: 'meet', barrier: 'ready', parties: [0] });
  const state = { registers: registers(), xstate: xstate(system), signalMask: 0n };
  const none = { words: [], pending: [], pendingShared: [] };
  const resume: ResumeStep = {
    ...base('resume'),
    ...{ op: 'resume', stopped: false },
    ...state,
    ...none,
  };
  steps.push(resume);
  const plan: Plan = {
    pid: 0,
    steps,
    store: { pages: 0, pageSize: system.pageSize },
    notes: [
      'an image of revision 3 holds no program: the task has its name and tid pointers, and pauses',
      ...strangers(opening, system),
    ],
  };
  checkPlan(plan);
  return plan;
}
