import { createEngine } from '@ckpt/engine';
import { ModelKernel } from '@ckpt/engine/model';
import { CkptError } from '@ckpt/format';
import { Failure } from '../campaign.ts';
import { anyMachine } from './machine.ts';
import type { Reader } from './reader.ts';
import { wholeImage } from './whole-image.ts';

/** Restarts the image: on a kernel that is a model, whole or not at all. */
const restart: Reader = wholeImage('restart on the model', 'process', (file, bytes) => {
  const host = anyMachine(bytes);
  const kernel = new ModelKernel(host.system(), host.files);
  const engine = createEngine({
    ...host,
    run: (plan, _image, pages) => kernel.run(plan, pages),
  });
  try {
    engine.restart(0, file);
  } catch (error) {
    if (error instanceof CkptError && kernel.machine.processes.size > 0) {
      throw new Failure('half a restart', `a process is left after ${error.message}`);
    }
    throw error;
  }
});

/** A restart, as far as there is one without a machine. */
export const modelReaders: readonly Reader[] = [restart];
