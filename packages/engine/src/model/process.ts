import type { ClockTimes } from '../system.ts';
import { AddressSpace } from './address-space.ts';
import { credentialsOf, Credentials } from './credentials.ts';
import { DescriptorTable } from './descriptor-table.ts';
import type { Entry } from './file-system.ts';
import type { Machine } from './machine.ts';
import { firstMm } from './mm.ts';
import { OpenFile, type FileObject } from './open-file.ts';
import { limitsOf } from './rlimits.ts';
import { SignalState } from './signals.ts';
import { ModelThread } from './thread.ts';
import { TimerState } from './timers.ts';
import { UserMemory } from './user-memory.ts';

const RLIMIT_NOFILE = 7;

/** "ckpt" */
const firstComm = Uint8Array.of(0x63, 0x6b, 0x70, 0x74, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** One process with its threads, of which none runs an instruction: all it does is system calls. */
export class ModelProcess {
  readonly machine: Machine;
  readonly pid: number;
  /** Clock ticks. */
  readonly startTime: bigint;
  /** By tid; the leader first. */
  readonly threads = new Map<number, ModelThread>();
  readonly space = new AddressSpace();
  readonly user = new UserMemory(this.space);
  readonly limits;
  readonly table = new DescriptorTable(() => Number(this.limits.soft(RLIMIT_NOFILE)));
  readonly signals = new SignalState();
  readonly timers = new TimerState();
  readonly mm = firstMm('/memfd:ckpt (deleted)');
  cwd: Entry;
  umask = 0o022;
  personality = 0;
  /** 0 no, 1 yes, 2 by root alone. */
  dumpable = 1;
  subreaper = 0;
  thpDisable = 0;
  mceKill = 2;
  /** Those of whoever makes the process. */
  group = 1;
  session = 1;
  /** Controlling terminal, a device number. */
  terminal = 0;
  /** Process group in its foreground; -1: none. */
  foreground = -1;
  /** -1000..1000 */
  oomScoreAdjust = 0;
  /** What it may be set to without CAP_SYS_RESOURCE. */
  oomScoreMin = 0;
  isStopped = false;
  /** What a time namespace of its own adds to the machine's clocks; undefined: it has none. */
  clocks: ClockTimes | undefined;
  /** Told when it ends: the status of waitpid(2). */
  readonly ends: ((status: number) => void)[] = [];

  constructor(machine: Machine, pid: number, startTime: bigint) {
    this.machine = machine;
    this.pid = pid;
    this.startTime = startTime;
    const { self } = machine.system;
    this.limits = limitsOf(self?.limits ?? new Uint8Array(0));
    const root = machine.files.entry('/') ?? machine.files.add('/', rootStat);
    this.cwd = root;
    const credentials = self === undefined ? new Credentials() : credentialsOf(self.status);
    const leader = new ModelThread(pid, credentials, firstComm.slice(), machine.processors);
    this.threads.set(pid, leader);
  }

  get leader(): ModelThread {
    return this.thread(this.pid);
  }

  /** Those that live; never none. */
  get living(): readonly ModelThread[] {
    return [...this.threads.values()].filter(({ exitStatus }) => exitStatus === undefined);
  }

  /** Through which the process is looked at: the leader, unless that has exited. */
  get front(): ModelThread {
    return this.living[0] ?? this.leader;
  }

  thread(tid: number): ModelThread {
    const thread = this.threads.get(tid);
    if (thread === undefined) throw new Error(`process ${this.pid} has no thread ${tid}`);
    return thread;
  }

  /** Opens something under the lowest free number, which is returned. */
  open(object: FileObject, flags: number, closeOnExec: boolean, least = 0): number {
    return this.table.add(this.describe(object, flags), closeOnExec, least);
  }

  describe(object: FileObject, flags: number): OpenFile {
    return new OpenFile(this.machine.nextFile(), object, flags);
  }

  /** Ends, and is no more. `status` as waitpid(2) gives it. */
  end(status: number): void {
    if (!this.machine.processes.delete(this.pid)) return;
    for (const fd of this.table.numbers) this.table.remove(fd);
    for (const tell of this.ends) tell(status);
  }

  /** Name of the leader. */
  get name(): Uint8Array {
    const { comm } = this.leader;
    const end = comm.indexOf(0);
    return end < 0 ? comm : comm.subarray(0, end);
  }
}

const rootStat = {
  ...{ dev: 0xfe00n, ino: 2n, mode: 0o040755, nlink: 20, uid: 0, gid: 0 },
  ...{ rdev: 0n, size: 4096n, mtime: 0n },
};
