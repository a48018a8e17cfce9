import { Worker } from 'node:worker_threads';
import { CkptError } from '@ckpt/format';
import { ObstacleError, type Checkpointed, type Obstacle } from '@ckpt/engine';

/** A checkpoint to be made by a thread of its own. */
export interface CheckpointRequest {
  readonly pid: number;
  /** Path of the image, which gets its name when it is whole; or an open descriptor. */
  readonly to: string | number;
  /** Takes the place of an image that is there. */
  readonly force?: boolean;
  /** The process dies once the image is on disk, before it runs on. */
  readonly kill?: boolean;
  /** Longest time the process may be frozen, milliseconds. */
  readonly deadlineMs?: number;
  readonly revision?: 3 | 100;
  /** TCP connections: carried on where that is possible unless told. */
  readonly tcp?: 'repair' | 'close';
}

/** A CkptError as it goes from thread to thread. */
interface SentError {
  readonly code: CkptError['code'];
  readonly sentence: string;
  readonly position: number | undefined;
  readonly path: readonly string[];
  readonly type: number | undefined;
  readonly field: string | undefined;
  readonly obstacles: readonly Obstacle[] | undefined;
}

export type CheckpointOutcome =
  { readonly made: Checkpointed } | { readonly error: SentError } | { readonly bug: string };

function received({
  code,
  sentence,
  position,
  path,
  type,
  field,
  obstacles,
}: SentError): CkptError {
  const options = {
    path,
    ...(position === undefined ? {} : { position }),
    ...(type === undefined ? {} : { type }),
    ...(field === undefined ? {} : { field }),
  };
  if (obstacles !== undefined) return new ObstacleError(obstacles, options);
  return new CkptError(code, sentence, options);
}

function settle(outcome: CheckpointOutcome): Checkpointed {
  if ('made' in outcome) return outcome.made;
  throw 'error' in outcome ? received(outcome.error) : new Error(outcome.bug);
}

/**
 * Writes an image of a process, on a thread that makes this one checkpoint and ends. ptrace(2) binds
 * a frozen process to the thread that froze it, and the end of that thread is the only way to let
 * go of a process that did not come to a stop (a parent in vfork(2), a task in D state): a program
 * that lives on must not freeze processes on a thread that lives on too.
 * @throws CkptError as `Engine.checkpoint`, and as open(2) for the image.
 */
export async function checkpointProcess(request: CheckpointRequest): Promise<Checkpointed> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./checkpoint-worker.${extension}`, import.meta.url), {
    workerData: request,
    // Descriptors that system calls opened are closed by hand; Node would warn of them.
    trackUnmanagedFds: false,
  });
  return new Promise((resolve, reject) => {
    let outcome: CheckpointOutcome | undefined;
    worker.on('message', (sent: CheckpointOutcome) => {
      outcome = sent;
    });
    worker.on('error', reject);
    worker.on('exit', (status) => {
      // Only now has the thread ended, and let go of whatever it held.
      try {
        resolve(settle(outcome ?? { bug: `the thread ended with ${status} and said nothing` }));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
