import { gatherFacts, ModelKernel, type RecordedFacts } from '@ckpt/engine/model';
import type { Random } from '@ckpt/format';
import { makeConnections, makeDescriptors } from './generate/descriptors.ts';
import { exampleFiles, exampleSystem } from './generate/machine.ts';
import { Maker } from './generate/maker.ts';
import { makeMappings, makeProgram } from './generate/memory.ts';
import { becomeSomebody, makeSettings } from './generate/settings.ts';
import { makeThreads } from './generate/threads.ts';
import { resources } from './resources/index.ts';

const pid = 2000;

/**
 * Facts of a process that could be: mappings, descriptors, threads, signals and settings as the
 * numbers have it, made by system calls of the model. All of it can be carried.
 * @param random As of `generate` in @ckpt/format: what draws only zeros makes the plainest process.
 */
export function generateFacts(random: Random): RecordedFacts {
  const kernel = new ModelKernel(exampleSystem, exampleFiles);
  const process = kernel.make(pid);
  const maker = new Maker(process, random);
  makeProgram(maker);
  makeMappings(maker);
  makeConnections(maker);
  becomeSomebody(maker);
  makeDescriptors(maker);
  makeThreads(maker);
  makeSettings(maker);
  return gatherFacts(kernel.freeze(pid), exampleSystem, resources);
}
