import type { Frozen, System } from '@ckpt/engine';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { freezeProcess } from './freeze.ts';
import { readMachine, type Machine } from './machine.ts';
import { readXstateLayout } from './cpuid.ts';
import { copyRoom } from './memory-copy.ts';
import { spawnStub } from './run-stub.ts';
import { address, stableBytes, trySyscall } from './syscall.ts';

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

const SIGKILL = 9;

/** True when clone3(2) may be given pids: by right in the user namespace that owns the pids. */
export function choosesPids(): boolean {
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

/** AF_INET, SOCK_STREAM; tcp(7) */
const tcpSocket = [2, 1 | 0o2000000, 6] as const;
const [IPPROTO_TCP, TCP_REPAIR] = [6, 19];

/** True where a connection can be put into repair mode: tried. */
function repairsConnections(): boolean {
  const fd = trySyscall('socket', ...tcpSocket);
  if (fd < 0) return false;
  const on = stableBytes(4);
  on.writeInt32LE(1, 0);
  const result = trySyscall('setsockopt', fd, IPPROTO_TCP, TCP_REPAIR, address(on), 4);
  closeSync(fd);
  return result === 0;
}

const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address: own }) => own));

/** A process of our own, with nothing open but /dev/null. */
function startStub(): number {
  const nothing = openSync('/dev/null', 'r+');
  try {
    return spawnStub(
      stubBase,
      [0, 1, 2].map((fd) => [nothing, fd] as const),
    );
  } finally {
    closeSync(nothing);
  }
}

function freezeStub(): Frozen {
  const stub = startStub();
  try {
    return freezeProcess(stub, stubDeadlineMs);
  } catch (error) {
    trySyscall('kill', stub, SIGKILL);
    trySyscall('wait4', stub, 0, 0, 0);
    throw error;
  }
}

/** Freezes such a process for as long as `use` takes; then it ends. */
function withStub<T>(use: (frozen: Frozen) => T): T {
  const frozen = freezeStub();
  try {
    return use(frozen);
  } finally {
    frozen.kill();
  }
}

type Xstate = Omit<System['cpu'], 'flags'>;

let known: Xstate | undefined;

/** What the kernel gives user space of the processor, as it shows in any process. */
function xstateOf(frozen: Frozen): Xstate {
  const [task] = frozen.tasks;
  const [thread] = task?.threads ?? [];
  if (task === undefined || thread === undefined) throw new Error('a frozen process has no thread');
  const xstate = Buffer.from(frozen.thread(task, thread).xstate);
  const xfeatures = xstate.readBigUInt64LE(xcr0Offset);
  return { xfeatures, xstateSize: xstate.length, xstateLayout: readXstateLayout(xfeatures) };
}

/**
 * Lets somebody do with a process of our own what will be done with others.
 * @throws CkptError EPERM where ptrace(2) is forbidden, and as `use`.
 */
export function rehearse(use: (frozen: Frozen) => void): void {
  copyRoom();
  withStub((frozen) => {
    known ??= xstateOf(frozen);
    use(frozen);
  });
}

/** @throws CkptError EPERM where ptrace(2) is forbidden, ENOSYS without native calls. */
export function readSystem(): System {
  const { flags, ...rest }: Machine = readMachine();
  const cpu = { flags, ...(known ??= withStub(xstateOf)) };
  const connections = { repairs: repairsConnections(), addresses: ownAddresses() };
  return { ...rest, cpu, choosesPids: choosesPids(), connections };
}
