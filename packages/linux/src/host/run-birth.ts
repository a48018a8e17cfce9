import { openSync } from 'node:fs';
import { CkptError } from '@ckpt/format';
import { Memory } from './memory.ts';
import { ptraceOptions, type Tracer } from './ptrace.ts';
import { withRegisters } from './registers.ts';
import { siblingEntry } from './run-clone.ts';
import { entryStatus, executorCode } from './run-executor-code.ts';
import { setTime, unshareTime } from './clocks.ts';
import { nameOf } from './run-error.ts';
import { cloneFailure, mayRetry, retryMicroseconds } from './run-holder.ts';
import type { Made } from './run-made.ts';
import type { Block } from './run-memory.ts';
import type { Compiled } from './run-plan.ts';
import { executorMask, spawnStub, stubSyscall } from './run-stub.ts';
import { encodeTable, type Ground } from './run-table.ts';
import { Tracee } from './run-tracee.ts';
import { syscallNumbers } from './syscall-numbers.ts';

/** Bytes: the stub, and the executor's code. */
const pageSize = 4096;

/** Where tables may be written when there are no rooms yet. */
function firstGround({ address, length }: Block): Ground {
  return {
    address: address + BigInt(pageSize),
    length: length - pageSize,
    rooms: new Map(),
    results: new Map(),
  };
}

export interface BirthScope {
  readonly tracer: Tracer;
  readonly made: Made;
  readonly compiled: Compiled;
  readonly block: Block;
  /** Descriptors of ours, and the numbers that they get in the new task. */
  readonly descriptors: readonly (readonly [from: number, to: number])[];
  readonly holder: (pid: number) => string | undefined;
  /** Is told what could not be had. */
  readonly warn: (sentence: string) => void;
  readonly at: (point: string) => void;
}

/** The stub may lie where the kernel put something of its own: it is placed anew at each start. */
const attemptsMax = 8;

/** asm-generic/mman-common.h: private, anonymous, not over anything, and not accounted. */
const mapFlags = 0x02 | 0x20 | 0x100000 | 0x4000;
const protReadWriteExec = 7;

/** Makes the block in a stub that stands still; returns the negative errno or its address. */
function mapBlock(tracer: Tracer, stub: Tracee, base: bigint, block: Block): bigint {
  const registers = withRegisters(tracer.getRegisters(stub.pid), {
    rip: stubSyscall(base),
    rax: syscallNumbers.mmap,
    rdi: block.address,
    rsi: block.length,
    rdx: protReadWriteExec,
    r10: mapFlags,
    r8: -1,
    r9: 0,
    orig_rax: -1,
  });
  return stub.runTraced(stub.pid, registers, 1)[0] ?? 0n;
}

/** A program with the executor's block in it, stopped; undefined when that place was not free. */
function tryStub({ tracer, made, compiled, block, descriptors, at }: BirthScope) {
  const base = compiled.hole.address;
  const pid = spawnStub(base, descriptors);
  made.task(pid);
  at('stub started');
  try {
    tracer.seize(
      pid,
      ptraceOptions.EXITKILL | ptraceOptions.TRACESYSGOOD | ptraceOptions.TRACECLONE,
    );
    tracer.interrupt(pid);
    const memory = new Memory(pid, at);
    const stub = new Tracee(tracer, memory, block.address, pid);
    stub.waitStill(pid);
    const result = mapBlock(tracer, stub, base, block);
    if (result === block.address) {
      memory.write(block.address, executorCode);
      return { stub, memory };
    }
    memory.close();
    if (result !== -17n) throw new CkptError('ENOMEM', `no memory for the executor (${result})`);
  } catch (error) {
    // ESRCH: it died when it was executed.
    if (!(error instanceof CkptError) || error.code !== 'ESRCH') throw error;
  }
  made.end(pid);
  return undefined;
}

function startStub(scope: BirthScope) {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const started = tryStub(scope);
    if (started !== undefined) return started;
  }
  const where = `0x${scope.compiled.hole.address.toString(16)}`;
  throw new CkptError('EEXIST', `no program can be started at ${where}, where the plan has a hole`);
}

/** The stub's children begin in a time namespace of their own, where the plan wants that. */
function enterTime({ compiled, block, at, warn }: BirthScope, stub: Tracee): void {
  const { clocks } = compiled.spawn;
  if (clocks === undefined) return;
  const ground = firstGround(block);
  const table = encodeTable([unshareTime], 0, ground);
  const [outcome] = stub.run(stub.pid, ground.address, table);
  const failed =
    outcome?.status === entryStatus.done
      ? setTime(stub.pid, clocks)
      : nameOf(outcome?.result ?? 0n);
  if (failed === undefined) at('time namespace made');
  else warn(`no time namespace could be made (${failed}): clocks are those of the restarter`);
}

/** Lets the stub make the task as its sibling, a child of this process, traced from the start. */
function cloneTask({ tracer, made, compiled, block, holder }: BirthScope, stub: Tracee): number {
  const ground = firstGround(block);
  const table = encodeTable([siblingEntry(compiled.spawn)], 0, ground);
  const started = performance.now();
  for (;;) {
    let outcome;
    try {
      [outcome] = stub.run(stub.pid, ground.address, table);
    } finally {
      for (const pid of stub.born) made.task(pid);
    }
    const [pid] = stub.born;
    if (outcome?.status === entryStatus.done && pid !== undefined) return pid;
    const errno = outcome === undefined ? 0 : Number(-outcome.result);
    if (!mayRetry(errno, compiled.pid, started)) {
      throw cloneFailure(compiled.spawn, errno, holder);
    }
    tracer.sleep(retryMicroseconds);
  }
}

/** A task that stands still. */
export interface Born {
  readonly tracee: Tracee;
  /** Opened while that is still allowed: a plan may end with making the task not dumpable. */
  readonly memory: Memory;
  /** Descriptor of its /proc/PID/maps. */
  readonly maps: number;
}

/** Makes the task: it holds nothing but what the stub had. */
export function bringUp(scope: BirthScope): Born {
  const { tracer, made, block, at } = scope;
  const { stub, memory: stubMemory } = startStub(scope);
  let pid;
  try {
    enterTime(scope, stub);
    pid = cloneTask(scope, stub);
  } finally {
    stubMemory.close();
  }
  at('task made');
  made.end(stub.pid);
  at('stub ended');
  const memory = new Memory(pid, at);
  const tracee = new Tracee(tracer, memory, block.address, pid);
  tracee.waitStill(pid);
  // Its id may have been written anywhere (CLONE_CHILD_SETTID).
  memory.write(block.address, executorCode);
  // Setting up a terminal from its background would be interrupted, and tried again, for ever.
  tracer.setSignalMask(pid, executorMask);
  return { tracee, memory, maps: openSync(`/proc/${pid}/maps`, 'r') };
}
