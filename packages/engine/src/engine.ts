import { CkptError } from '@ckpt/format';
import type { CkptFile } from '@ckpt/io';
import { collect } from './collect.ts';
import { createCridCounter } from './crid.ts';
import type { Engine, Verified } from './engine-api.ts';
import { checkPid, createCheckpoint, withFrozen } from './engine-checkpoint.ts';
import { createPlan, createRestart, createVerify } from './engine-restart.ts';
import type { Host } from './host.ts';
import { settle, type EngineOptions } from './options.ts';

/** What a system call returns: a negative errno for what was thrown. */
function asResult(call: () => number): number {
  try {
    return call();
  } catch (error) {
    if (error instanceof CkptError) return -error.errno;
    throw error;
  }
}

/** Checkpoint and restart on a host. */
export function createEngine(host: Host, options: EngineOptions = {}): Engine {
  const settled = settle(options);
  const checkpoint = createCheckpoint(host, settled, createCridCounter(options.crid));
  const restart = createRestart(host, settled);
  return {
    checkpoint,
    restart,
    verify: createVerify(host, settled),
    plan: createPlan(host, settled),
    doSysCheckpoint: (pid, file, flags, logFile) =>
      asResult(() => checkpoint(pid, file, flags, logFile).crid),
    doSysRestart: (pid, file, flags, logFile) =>
      asResult(() => restart(pid, file, flags, logFile).status),
    check: (pid) => {
      const system = host.system();
      const { resources } = host;
      const ground = { system, resources, options: settled.settings };
      return withFrozen(host, checkPid(pid, host), settled, (frozen, task) => {
        const { obstacles, notes } = collect({ ...ground, frozen, task });
        return { obstacles, notes };
      });
    },
  };
}

/**
 * Checks an image without any machine: its form, all of it, but not whether it could be restarted
 * somewhere. In a browser too.
 * @throws CkptError with position, record type and field for the first defect.
 */
export function verifyImage(
  file: CkptFile,
  options: Pick<EngineOptions, 'kernel' | 'progress' | 'debug' | 'debugLevel'> = {},
): Verified {
  return createVerify(undefined, settle(options))(file);
}
