import { Sleeps } from './asleep.ts';
import { FrozenProcess } from './frozen-process.ts';
import { Holders } from './holders.ts';
import { Identity } from './identity.ts';
import { Memory } from './memory.ts';
import { Tracer } from './ptrace.ts';
import { Remote } from './remote.ts';
import { Seizure } from './seizure.ts';
import type { OwnState } from './tracee.ts';
import { Waiting } from './waiting.ts';

export interface FreezeOptions {
  /** Called after every ptrace(2) request, every write to memory and at named points. */
  readonly at?: (point: string) => void;
  /** How long one round of remote calls may take. */
  readonly askLimitMs?: number;
  /** It will be killed, without having run on. */
  readonly dies?: boolean;
}

/** Shortest time that a killed checkpointer's executor gets to finish. */
const finishMs = 100;

/**
 * Stops a process with all its threads; its state stays as it is.
 * @throws CkptError ESRCH, EINVAL, EPERM, EOPNOTSUPP, ETIMEDOUT; the process then goes on.
 */
export function freezeProcess(
  pid: number,
  deadlineMs: number,
  options: FreezeOptions = {},
): FrozenProcess {
  const { at = () => undefined, askLimitMs = 5000, dies = false } = options;
  const tracer = new Tracer(at);
  const identity = new Identity(pid);
  const holders = new Holders(identity.front);
  const seizure = new Seizure(tracer, identity.proc, pid, identity.front);
  const sleeps = new Sleeps(identity.proc);
  let memory: Memory | undefined;
  try {
    sleeps.look();
    seizure.stopAll(deadlineMs);
    memory = new Memory(pid, at, identity.proc.path);
    identity.confirm();
    const waiting = new Waiting(tracer, memory, sleeps);
    const own = (tid: number): OwnState => waiting.own(tid);
    const remote = new Remote({
      pid: identity.front,
      tracer,
      memory,
      proc: identity.proc,
      at,
      own,
      askLimitMs,
    });
    const deadline = performance.now() + Math.max(deadlineMs, finishMs);
    for (const tid of seizure.tids) {
      if (remote.isInExecutor(tracer.getRegisters(tid))) remote.finish(tid, deadline);
      waiting.takeOver(tid);
    }
    at('frozen');
    const freeze = (other: number, limitMs: number) => freezeProcess(other, limitMs, { at });
    const parts = { identity, holders, seizure, tracer, memory, remote, waiting };
    return new FrozenProcess({ ...parts, dies, freeze });
  } catch (error) {
    seizure.release();
    memory?.close();
    identity.close();
    throw error;
  }
}
