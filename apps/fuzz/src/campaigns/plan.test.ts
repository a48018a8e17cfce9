import { MemoryHost, type RecordedFacts } from '@ckpt/engine/model';
import { resources } from '@ckpt/linux';
import { describe, expect, it } from 'vitest';
import { limits } from '../run/limits.ts';
import { runHere } from '../run/here.ts';
import { plan, type MakeHost } from './plan.ts';

/** Keys of what is found on another machine. */
function found(makeHost: MakeHost): readonly string[] {
  const quick = { ...limits, shrinkMs: 500 };
  return runHere(plan(makeHost), 1, { runs: 40 }, quick).findings.map(({ fault }) => fault.key);
}

/** Takes what runs for stopped. */
class Forgetful extends MemoryHost {
  override facts(pid: number): RecordedFacts {
    const facts = super.facts(pid);
    return { ...facts, task: { ...facts.task, stopped: !facts.task.stopped } };
  }
}

/** Leaves a process behind when a step fails. */
class Untidy extends MemoryHost {
  override run(...args: Parameters<MemoryHost['run']>): ReturnType<MemoryHost['run']> {
    try {
      return super.run(...args);
    } catch (error) {
      this.kernel.make(0);
      throw error;
    }
  }
}

describe('plans', () => {
  it('show a fact that does not come back', () => {
    expect(found((facts) => new Forgetful(facts, { resources }))).toEqual(['stopped differs']);
  });

  it('show a process that is left of a failed restart', () => {
    const makeHost: MakeHost = (facts, trouble) =>
      new Untidy(facts, { resources, stepFault: () => (trouble.step() ? 'EIO' : undefined) });
    expect(found(makeHost)).toEqual(['half a restart']);
  });

  it('begin with the plainest process', () => {
    const campaign = plan();
    const journey = campaign.make(() => 0);
    expect(journey.fails).toBe('nothing');
    campaign.run(journey);
  });
});
