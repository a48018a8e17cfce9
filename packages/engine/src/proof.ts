import { CkptError } from '@ckpt/format';
import { MemoryFile } from '@ckpt/io';
import type { Task } from './frozen.ts';
import type { Host } from './host.ts';
import type { System } from './system.ts';
import { readOpening } from './image-opening.ts';
import { readMetadata } from './image-reader.ts';
import type { Plan } from './plan.ts';
import { planProcess } from './process-plan.ts';
import { checkFree } from './restart.ts';

export interface ProofGround {
  readonly host: Host;
  readonly system: System;
  /** Who has the ids of the image, and is to be gone when it is restarted. */
  readonly task: Task;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Who has an id that the plan needs, but for the task itself. */
function checkOthers(plan: Plan, { host, task }: ProofGround): void {
  const own = new Set([task.pid, ...task.threads.map(({ tid }) => tid)]);
  checkFree(plan, {
    holder: (pid) => (own.has(pid) ? undefined : host.holder(pid)),
  });
}

function prove(metadata: Uint8Array, ground: ProofGround): Plan {
  const { host, system, options } = ground;
  const { resources } = host;
  const stream = { file: new MemoryFile(metadata), total: 0 };
  const claims = resources.flatMap(({ records }) => records);
  const read = readMetadata(stream, readOpening(stream), claims);
  const stat = (path: string) => host.stat(path);
  const contents = host.contents?.bind(host);
  const startTime = (pid: number) => host.startTime?.(pid);
  const plan = planProcess(read, { system, resources, options, stat, contents, startTime });
  checkOthers(plan, ground);
  host.prove?.(plan);
  return plan;
}

/**
 * Makes every check of a restart with the metadata of an image that is being written: form, paths,
 * ids, processor, kernel, limits, rights.
 * @returns what a restart would bring back otherwise than it is, as sentences.
 * @throws CkptError as a restart would, at the record of the new image.
 */
export function proveRestart(metadata: Uint8Array, ground: ProofGround): readonly string[] {
  try {
    return prove(metadata, ground).notes;
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    const { code, sentence, position, path, type, field } = error;
    throw new CkptError(code, `its image could not be restarted here: ${sentence}`, {
      ...{ path, cause: error },
      ...(position === undefined ? {} : { position }),
      ...(type === undefined ? {} : { type }),
      ...(field === undefined ? {} : { field }),
    });
  }
}
