import type { ThreadState } from '../frozen.ts';
import type { Credentials } from './credentials.ts';
import { noAltStack, type AltStack } from './signals.ts';

/** Index of a word in struct user_regs_struct (sys/user.h). */
const rspWord = 19;

/** Nanoseconds: how far timers may be late, unless set. */
const slackDefault = 50_000n;

/** What scheduling knows of a thread. */
export interface Scheduling {
  readonly policy: number;
  readonly flags: number;
  readonly nice: number;
  readonly priority: number;
}

/** One thread, which runs no instruction. */
export class ModelThread {
  readonly tid: number;
  credentials: Credentials;
  /** 16 bytes. */
  comm: Uint8Array;
  mask = 0n;
  altStack: AltStack = noAltStack;
  pending: Uint8Array[] = [];
  scheduling: Scheduling = { policy: 0, flags: 0, nice: 0, priority: 0 };
  /** Little endian, whole 8-byte words. */
  affinity: Uint8Array;
  ioPriority = 0;
  timerSlack = slackDefault;
  parentDeathSignal = 0;
  noNewPrivs = false;
  clearChildTid = 0n;
  robustList: ThreadState['robustList'] = { head: 0n, length: 24 };
  rseq: Omit<ThreadState['rseq'], 'criticalSection'> = noRseq;
  registers = new Uint8Array(27 * 8);
  xstate = new Uint8Array(0);
  /** It has exited while others run on, with this status: a leader, which stays as a zombie. */
  exitStatus: number | undefined;
  /** It is to run when all do. */
  isReady = false;

  constructor(tid: number, credentials: Credentials, comm: Uint8Array, affinity: Uint8Array) {
    this.tid = tid;
    this.credentials = credentials;
    this.comm = comm;
    this.affinity = affinity;
  }

  get stackPointer(): bigint {
    const { buffer, byteOffset, length } = this.registers;
    return new DataView(buffer, byteOffset, length).getBigUint64(rspWord * 8, true);
  }

  /** One more thread as clone(2) with CLONE_VM makes it: what leads into memory is not inherited. */
  child(tid: number): ModelThread {
    const { credentials, comm, affinity } = this;
    const other = new ModelThread(tid, credentials.copy(), comm.slice(), affinity.slice());
    other.mask = this.mask;
    other.scheduling = this.scheduling;
    other.ioPriority = this.ioPriority;
    other.timerSlack = this.timerSlack;
    other.noNewPrivs = this.noNewPrivs;
    return other;
  }
}

const noRseq = { address: 0n, size: 0, signature: 0, flags: 0 } as const;
