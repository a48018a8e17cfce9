import { createEngine } from '@ckpt/engine';
import { MemoryHost, parseFacts, type RecordedFacts } from '@ckpt/engine/model';
import { CkptError, Clocks, Identity, MetaEnd, Tree, recordName, crc32c } from '@ckpt/format';
import { MemoryFile } from '@ckpt/io';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resources } from './index.ts';

/** A process with threads, timers, signals and settings, as facts.kernel.test.ts found it. */
function recorded(): RecordedFacts {
  const path = new URL('../testing/facts/settings.facts', import.meta.url);
  return parseFacts(readFileSync(path, 'utf8'));
}

interface Raw {
  readonly type: number;
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** Records of the metadata, META_END included. */
function recordsOf(image: Uint8Array): Raw[] {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const records: Raw[] = [];
  for (let position = 0; records.at(-1)?.type !== MetaEnd.type;) {
    const length = view.getUint32(position + 4, true);
    const bytes = image.subarray(position, position + length);
    records.push({ type: view.getUint32(position, true), position, bytes });
    position += length;
  }
  return records;
}

function imageOf(host: MemoryHost, pid: number, kill: boolean): Uint8Array {
  const file = new MemoryFile();
  createEngine(host, { kill }).checkpoint(pid, file);
  return file.bytes;
}

const shown = ({ type, bytes }: Raw): string =>
  `${recordName(type, 100)} ${Buffer.from(bytes).toString('hex')}`;

test('what was checkpointed is what is restored, record for record', () => {
  const facts = recorded();
  const host = new MemoryHost(facts, { resources });
  const image = imageOf(host, facts.task.pid, true);
  createEngine(host).restart(0, new MemoryFile(image));
  const again = imageOf(host, facts.task.pid, false);
  // Each image has a name of its own, time goes on, and the restarted process has another parent.
  const differ: readonly number[] = [Identity.type, Clocks.type, MetaEnd.type];
  const comparable = (bytes: Uint8Array): string[] => {
    const records = recordsOf(bytes);
    const tree = records.findIndex(({ type }) => type === Tree.type) + 1;
    return records
      .filter(({ type }, index) => index !== tree && !differ.includes(type))
      .map((record) => shown(record));
  };
  expect(comparable(again)).toEqual(comparable(image));
  expect(comparable(image).length).toBeGreaterThan(60);
});

/** Numbers that are the same every time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state % below;
  };
}

const words = [0n, 1n, 0xffff_ffffn, 0x7fff_ffffn, 1n << 63n, (1n << 64n) - 1n, 0x7fff_ffff_f000n];

test('an image with any numbers in it gives a plan or one error', () => {
  const facts = recorded();
  const host = new MemoryHost(facts, { resources });
  const image = imageOf(host, facts.task.pid, true);
  const records = recordsOf(image);
  const end = records.at(-1)?.position ?? 0;
  const kinds = records.filter(({ position, type }) => type !== MetaEnd.type && position > 400);
  const draw = numbers(4711);
  const engine = createEngine(host);
  let refused = 0;
  for (let round = 0; round < 400; round++) {
    const changed = image.slice();
    const view = new DataView(changed.buffer);
    const { position, bytes } = kinds[draw(kinds.length)] ?? { position: 0, bytes: image };
    const places = Math.max(1, (bytes.length - 16) / 4);
    const at = position + 8 + 4 * Math.min(draw(Math.ceil(places)), Math.floor(places));
    if (at + 8 > position + bytes.length) continue;
    view.setBigUint64(at, words[draw(words.length)] ?? 0n, true);
    view.setUint32(end + 20, crc32c(changed.subarray(0, end)), true);
    try {
      engine.plan(new MemoryFile(changed));
    } catch (error) {
      expect(error).toBeInstanceOf(CkptError);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(100);
});
