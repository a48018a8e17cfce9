import { createEngine } from '@ckpt/engine';
import { compareFacts, MemoryHost, parseFacts, stringifyFacts } from '@ckpt/engine/model';
import { seeded } from '@ckpt/format';
import { MemoryFile } from '@ckpt/io';
import { expect, test } from 'vitest';
import { generateFacts } from './generate-facts.ts';
import { resources } from './resources/index.ts';

function cycle(random: () => number) {
  const facts = generateFacts(random);
  const host = new MemoryHost(facts, { resources });
  const file = new MemoryFile();
  createEngine(host, { kill: true }).checkpoint(facts.task.pid, file);
  file.rewind();
  const { running } = createEngine(host).restart(0, file);
  return { facts, after: host.facts(facts.task.pid), warnings: running.warnings };
}

test('generated processes come back on the model as they were', () => {
  for (let seed = 0; seed < 40; seed++) {
    const { facts, after, warnings } = cycle(seeded(seed));
    expect([seed, compareFacts(facts, after, { exactTimes: true })]).toEqual([seed, []]);
    expect([seed, warnings]).toEqual([seed, []]);
  }
});

test('the plainest process comes from zeros alone', () => {
  const { facts } = cycle(() => 0);
  expect(facts.task.tids).toEqual([facts.task.pid]);
  expect(facts.list.fd).toEqual([]);
});

test('the same numbers make the same facts', () => {
  const text = (seed: number): string => stringifyFacts(generateFacts(seeded(seed)));
  expect(text(7)).toBe(text(7));
  expect(text(7)).not.toBe(text(8));
  expect(compareFacts(parseFacts(text(7)), generateFacts(seeded(7)))).toEqual([]);
});
