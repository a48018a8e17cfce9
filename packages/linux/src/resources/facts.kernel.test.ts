import { compareFacts, gatherFacts, stringifyFacts, type RecordedFacts } from '@ckpt/engine/model';
import { writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { callOf } from '../testing/process-facts.ts';
import { adoptTargets, host, roundTrip, startTarget } from '../testing/round-trip.ts';
import { scratch } from '../testing/scratch.ts';
import { program } from '../testing/target.ts';
import { resources } from './index.ts';

const path = scratch();

beforeAll(adoptTargets);

const deadlineMs = 5000;

/** What this kernel tells of a process. */
function factsOf(pid: number): RecordedFacts {
  const frozen = host.freeze(pid, deadlineMs);
  try {
    return gatherFacts(frozen, host.system(), resources);
  } finally {
    frozen.thaw();
  }
}

/** With CKPT_RECORD=1 the facts that other tests replay are written anew. */
function keep(name: string, facts: RecordedFacts): void {
  if (process.env.CKPT_RECORD !== '1' || name !== 'settings') return;
  const uts = { release: '6.18.44', version: '#1 SMP', machine: 'x86_64' };
  const text = stringifyFacts({ ...facts, system: { ...facts.system, uts } });
  writeFileSync(new URL(`../testing/facts/${name}.facts`, import.meta.url), text);
}

test.for(['quiet', 'settings', 'somebody'])(
  'all that a checkpoint asks of %s is answered in the same way after a restart',
  async (name) => {
    const target = startTarget([program(name), path(name)]);
    target.says('ready');
    target.until('a call', () => target.threads().every((tid) => callOf(tid) !== undefined));
    const before = factsOf(target.pid);
    keep(name, before);
    const { running } = roundTrip(target.pid);
    const after = factsOf(running.pid);
    process.kill(running.pid, 'SIGKILL');
    await running.wait();
    expect(compareFacts(before, after)).toEqual([]);
  },
);
