import { CkptError } from '@ckpt/format';
import { collect } from './collect.ts';
import type { Frozen } from './frozen.ts';
import type { Host } from './host.ts';
import type { Settled } from './options.ts';
import { OutputFile } from './output-file.ts';
import { writeProcess } from './process-checkpoint.ts';
import { onlyTask } from './tree.ts';

/** Takes all that it is given, and keeps nothing. */
function sink(): OutputFile {
  return new OutputFile({ read: () => 0, write: (from) => from.length });
}

/** Checkpoints a process as always, for nothing. */
function checkpoint(host: Host, { settings, random }: Settled, frozen: Frozen): void {
  const { resources } = host;
  const task = onlyTask(frozen.tasks);
  const ground = { frozen, system: host.system(), task, resources, options: settings };
  const nothing = (): void => undefined;
  const told = { uuid: random(), tick: nothing, progress: nothing, begin: nothing, prove: nothing };
  writeProcess({ file: sink(), total: 0 }, { ...ground, ...told }, collect(ground));
}

/**
 * Something that makes the code of checkpoints warm, on a process that the host makes for it; the
 * first time only. Whatever cannot be done there is not for this to tell.
 */
export function createRehearsal(host: Host, options: Settled): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    try {
      host.rehearse?.((frozen) => {
        checkpoint(host, options, frozen);
      });
    } catch (error) {
      if (!(error instanceof CkptError)) throw error;
    }
  };
}
