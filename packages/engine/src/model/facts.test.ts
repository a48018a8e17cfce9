import { crc32c } from '@ckpt/format';
import { expect, test } from 'vitest';
import { caught } from '../testing/caught.ts';
import { FakeHost, memoryOf } from '../testing/fake-host.ts';
import { MemoryFile } from '@ckpt/io';
import type { Frozen } from '../frozen.ts';
import { compareFacts } from './compare-facts.ts';
import { callKey, type RecordedFacts } from './facts.ts';
import { parseFacts, stringifyFacts } from './facts-json.ts';
import { pageDigest, pageOf } from './page-digest.ts';
import { record } from './record.ts';
import { replay } from './replay.ts';

const system = new FakeHost().system();
const brk = { call: 'brk', args: [0] };
const name = { call: 'prctl', args: [16, { out: 4 }, { in: Uint8Array.of(1, 255) }] };

/** Listens to a fake process while some of it is looked at. */
function recorded(use: (frozen: Frozen, task: Frozen['tasks'][number]) => void): RecordedFacts {
  const recording = record(new FakeHost({ tids: [7, 8] }).freeze(7), system);
  const [task] = recording.frozen.tasks;
  if (task !== undefined) use(recording.frozen, task);
  return recording.facts();
}

test('a call has its name and arguments as key', () => {
  expect(callKey(name)).toBe('prctl(16,{4},<01ff)');
});

test('what was recorded is told again, and nothing else', () => {
  const seen: unknown[] = [];
  const look = (frozen: Frozen, task: Frozen['tasks'][number]) => {
    const [leader, second] = task.threads;
    if (leader === undefined || second === undefined) throw new Error('two threads');
    seen.push([
      ...[frozen.read(task, 'comm'), frozen.read(task, 'nothing'), frozen.list(task, 'fd')],
      ...[frozen.ask(task, leader, [brk, name]), frozen.ask(task, second, [brk])],
      ...[frozen.memory(task, 0x1234n, 8), frozen.pages(task, 0n, 0x4000n)],
    ]);
  };
  const facts = recorded(look);
  const again = replay(parseFacts(stringifyFacts(facts)));
  const [task] = again.tasks;
  if (task === undefined) throw new Error('a task');
  look(again, task);
  expect(seen[1]).toEqual(seen[0]);
  const [, second] = task.threads;
  expect(caught(() => again.ask(task, second ?? { tid: 0 }, [name]))).toMatchObject({
    code: 'ENODATA',
    sentence: 'ask 8 prctl(16,{4},<01ff) was not recorded',
  });
  expect(caught(() => again.read(task, 'toString'))).toMatchObject({ code: 'ENODATA' });
  expect(caught(() => again.memory(task, 0x1234n, 9))).toMatchObject({ code: 'ENODATA' });
});

test('pages are kept as digests, and stay the same through a replay', () => {
  const facts = recorded((frozen, task) => {
    frozen.memory(task, 0x1010n, 16);
    frozen.copy(task, 0x1000n, 0x3000, new MemoryFile());
  });
  const again = record(replay(facts), system);
  const [task] = again.frozen.tasks;
  if (task === undefined) throw new Error('a task');
  const file = new MemoryFile();
  // What was read stands in the page that was copied.
  expect(again.frozen.memory(task, 0x1010n, 16)).toEqual(memoryOf(0x1010n, 16));
  again.frozen.copy(task, 0x1000n, 0x3000, file);
  expect(file.bytes.subarray(16, 32)).toEqual(memoryOf(0x1010n, 16));
  expect(again.facts().pages).toEqual(facts.pages);
  expect(compareFacts(facts, again.facts())).toEqual([]);
});

test('a digest is a checksum, but of pages that were made from one', () => {
  const page = memoryOf(0n, 4096);
  expect(pageDigest(page)).toBe(crc32c(page));
  expect(pageDigest(pageOf(0x1234))).toBe(0x1234);
  expect(pageDigest(new Uint8Array(4096))).toBe(0);
  const changed = pageOf(0x1234);
  changed[4000] = 1;
  expect(pageDigest(changed)).toBe(crc32c(changed));
  expect(pageDigest(changed, [{ start: 3999, end: 4002 }])).toBe(0x1234);
});

test('facts are told apart by what differs', () => {
  const facts = recorded((frozen, task) => void frozen.read(task, 'comm'));
  const other = { ...facts, read: { comm: Uint8Array.of(0x62, 0x0a) }, polls: { 3: 5 } };
  expect(compareFacts(facts, other)).toEqual([
    { fact: 'comm', a: 'a (name)\n', b: 'b\n' },
    { fact: 'poll 3', a: undefined, b: '5' },
  ]);
});

test('every byte, number and absence survives JSON', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const facts: RecordedFacts = {
    ...recorded(() => undefined),
    read: { all: bytes, none: undefined, empty: new Uint8Array(0), one: bytes.subarray(200, 201) },
    peers: { 1: 2n ** 63n, 2: undefined },
  };
  expect(parseFacts(stringifyFacts(facts))).toEqual(facts);
  for (const text of ['', 'null', '{"system":{}}', '[]']) {
    expect(caught(() => parseFacts(text))).toMatchObject({ code: 'EINVAL' });
  }
});
