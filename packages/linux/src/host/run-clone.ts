import type { SpawnStep } from '@ckpt/engine';
import type { Entry } from './run-table.ts';
import { syscallNumbers } from './syscall-numbers.ts';

/** linux/sched.h */
const CLONE_VM = 0x100;
const CLONE_FS = 0x200;
const CLONE_FILES = 0x400;
const CLONE_SIGHAND = 0x800;
const CLONE_PARENT = 0x8000;
const CLONE_THREAD = 0x10000;
const CLONE_SYSVSEM = 0x40000;
const CLONE_CHILD_SETTID = 0x1000000;
const threadFlags =
  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

/** struct clone_args of clone3(2), version 2: offsets. */
const cloneArgs = { size: 88, flags: 0, childTid: 16, setTid: 64, setTidSize: 72 } as const;

/** A clone3(2) that makes a task of the wanted id; pid 0 leaves the choice to the kernel. */
function cloneEntry({ id, pid, setChildTid }: SpawnStep, flags: number): Entry {
  const bytes = new Uint8Array(cloneArgs.size);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(cloneArgs.flags, BigInt(flags), true);
  if (setChildTid !== undefined && setChildTid !== 0n) {
    view.setBigUint64(cloneArgs.flags, BigInt(flags | CLONE_CHILD_SETTID), true);
    view.setBigUint64(cloneArgs.childTid, setChildTid, true);
  }
  const call = { id, number: syscallNumbers.clone3, goOn: false };
  const size = BigInt(cloneArgs.size);
  if (pid === 0) return { ...call, args: [{ blob: { bytes, pointers: [] } }, size] };
  view.setBigUint64(cloneArgs.setTidSize, 1n, true);
  const wanted = new Uint8Array(4);
  new DataView(wanted.buffer).setInt32(0, pid, true);
  const pointers = [{ offset: cloneArgs.setTid, to: wanted }];
  return { ...call, args: [{ blob: { bytes, pointers } }, size], expect: BigInt(pid) };
}

/** One more thread. It needs no stack: its tracer gives it registers before it runs. */
export function threadEntry(step: SpawnStep): Entry {
  return cloneEntry(step, threadFlags);
}

/**
 * A sibling of the caller: a child of whoever made the caller. No exit signal may be given with
 * CLONE_PARENT, the sibling has that of the caller (SIGCHLD).
 */
export function siblingEntry(step: SpawnStep): Entry {
  return cloneEntry(step, CLONE_PARENT);
}
