import { parentPort, workerData } from 'node:worker_threads';
import { createEngine, ObstacleError, type Checkpointed } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import { createImage, nonBlockingFile, type FdFile } from '@ckpt/io/node';
import type { CheckpointOutcome, CheckpointRequest } from './checkpoint-process.ts';
import { createLinuxHost } from './index.ts';

interface Target {
  readonly file: FdFile;
  commit(): void;
  abort(): void;
}

const nothing = () => undefined;

function open({ to, force = false }: CheckpointRequest, deadline: () => number): Target {
  if (typeof to === 'string') return createImage(to, { force, deadline });
  return { file: nonBlockingFile(to, 'write', { deadline }), commit: nothing, abort: nothing };
}

function checkpoint(request: CheckpointRequest): Checkpointed {
  const { pid, kill = false, revision = 100, deadlineMs, tcp } = request;
  let left = () => Infinity;
  const target = open(request, () => left());
  try {
    const engine = createEngine(createLinuxHost(), {
      kill,
      revision,
      settings: tcp === undefined ? {} : { tcp },
      durable: () => {
        target.commit();
      },
      onFreeze: (leftMs) => {
        left = leftMs;
      },
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    });
    const made = engine.checkpoint(pid, target.file);
    target.commit();
    return made;
  } catch (error) {
    target.abort();
    throw error;
  }
}

function outcomeOf(request: CheckpointRequest): CheckpointOutcome {
  try {
    return { made: checkpoint(request) };
  } catch (error) {
    if (!(error instanceof CkptError)) return { bug: String(error) };
    const { code, sentence, position, path, type, field } = error;
    const obstacles = error instanceof ObstacleError ? error.obstacles : undefined;
    return { error: { code, sentence, position, path, type, field, obstacles } };
  }
}

// Only checkpointProcess starts this file, with its request.
parentPort?.postMessage(outcomeOf(workerData as CheckpointRequest));
