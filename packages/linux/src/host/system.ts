import type { Frozen, System } from '@ckpt/engine';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { freezeProcess } from './freeze.ts';
import { readMachine, type Machine } from './machine.ts';
import { copyRoom } from './memory-copy.ts';
import { spawnStub } from './run-stub.ts';
import { trySyscall } from './syscall.ts';

/** ioctl_nsfs(2): the user namespace that owns a namespace. */
const NS_GET_USERNS = 0xb701;

/** capabilities(7) */
const CAP_SYS_ADMIN = 21n;
const CAP_CHECKPOINT_RESTORE = 40n;

/** Where XCR0 stands in the xstate area that the kernel gives (the part reserved for software). */
const xcr0Offset = 464;

/** The stub lies where no program does by default. */
const stubBase = 0x10000n;

const stubDeadlineMs = 5000;

/** True when clone3(2) may be given pids: by right in the user namespace that owns the pids. */
function choosesPids(): boolean {
  const status = readFileSync('/proc/self/status', 'latin1');
  const effective = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status)?.[1] ?? '0'}`);
  if ((effective & ((1n << CAP_SYS_ADMIN) | (1n << CAP_CHECKPOINT_RESTORE))) === 0n) return false;
  const pids = openSync('/proc/self/ns/pid', 'r');
  const owner = trySyscall('ioctl', pids, NS_GET_USERNS);
  closeSync(pids);
  // The owner is out of reach: a namespace above ours.
  if (owner < 0) return false;
  try {
    return statSync(`/proc/self/fd/${owner}`).ino === statSync('/proc/self/ns/user').ino;
  } finally {
    closeSync(owner);
  }
}

/** Does with a throw-away process what is done with a frozen one, so that its code is warm. */
function rehearse(frozen: Frozen): Buffer {
  const [task] = frozen.tasks;
  const thread = task?.threads[0];
  if (task === undefined || thread === undefined) throw new Error('a frozen process has no thread');
  for (let round = 0; round < 3; round++) {
    frozen.ask(task, thread, [{ call: 'getitimer', args: [0, { out: 32 }] }]);
  }
  frozen.pages(task, 0n, stubBase * 2n);
  frozen.memory(task, stubBase, 8);
  for (const path of ['stat', 'status', 'maps', 'smaps', 'limits', 'auxv']) frozen.read(task, path);
  frozen.link(task, 'exe');
  frozen.stat(task, 'exe');
  frozen.list(task, 'fd');
  frozen.pendingShared(task);
  return Buffer.from(frozen.thread(task, thread).xstate);
}

let known: Pick<System['cpu'], 'xfeatures' | 'xstateSize'> | undefined;

/**
 * What the kernel gives user space of the processor; asked of a process of our own, which at the
 * same time warms the code that runs while another one stands still.
 */
function readXstate(): Pick<System['cpu'], 'xfeatures' | 'xstateSize'> {
  if (known !== undefined) return known;
  copyRoom();
  const stub = spawnStub(stubBase, []);
  let xstate: Buffer;
  try {
    const frozen = freezeProcess(stub, stubDeadlineMs);
    try {
      xstate = rehearse(frozen);
    } finally {
      frozen.kill();
    }
  } catch (error) {
    process.kill(stub, 'SIGKILL');
    trySyscall('wait4', stub, 0, 0, 0);
    throw error;
  }
  known = { xfeatures: xstate.readBigUInt64LE(xcr0Offset), xstateSize: xstate.length };
  return known;
}

/** @throws CkptError EPERM where ptrace(2) is forbidden, ENOSYS without native calls. */
export function readSystem(): System {
  const { flags, ...rest }: Machine = readMachine();
  return { ...rest, cpu: { flags, ...readXstate() }, choosesPids: choosesPids() };
}
