import { readFileSync } from 'node:fs';
import { Header, Task } from '@ckpt/format';
import { encodeText, MemoryFile } from '@ckpt/io';
import { describe, expect, it } from 'vitest';
import { commField, encodeBaseImage, readBaseImage } from './base-image.ts';
import { createEngine } from './engine.ts';
import { readOpening } from './image-opening.ts';
import { caught } from './testing/caught.ts';
import { FakeHost } from './testing/fake-host.ts';

const golden = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../golden/${name}`, import.meta.url)));

function checkpoint(host: FakeHost, tid = 4242): Uint8Array {
  const file = new MemoryFile();
  createEngine(host, { revision: 3 }).checkpoint(tid, file);
  return file.bytes;
}

function taskOf(bytes: Uint8Array): Task {
  return Task.decode(bytes.subarray(283, 323));
}

const statOf = (fields: Readonly<Record<number, string>>): string =>
  `1 (x) ${Array.from({ length: 50 }, (_, index) => fields[index + 3] ?? '0').join(' ')}`;

describe('an image of revision 3', () => {
  it('has the very bytes of the base', () => {
    const expected = golden('valid-minimal.ckpt');
    const stream = { file: new MemoryFile(expected), total: 0 };
    const opening = readOpening(stream);
    const read = readBaseImage(stream, opening);
    const text = (bytes: Uint8Array) => String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
    const uts = {
      ...{ release: text(opening.release), version: text(opening.version) },
      machine: text(opening.machine),
    };
    const { major, minor, patch, time } = opening.header;
    const writer = { uts, kernel: [major, minor, patch] as const, time };
    expect(encodeBaseImage(writer, read)).toEqual(expected);
  });

  it('comes from a process that goes on before the first byte is written', () => {
    const host = new FakeHost();
    const bytes = checkpoint(host);
    expect(bytes).toHaveLength(363);
    expect(host.events).toEqual(['freeze', 'thaw']);
    expect(taskOf(bytes)).toEqual({
      ...{ state: 0, exit_state: 0, exit_code: 0, exit_signal: 17 },
      ...{ set_child_tid: 0n, clear_child_tid: 0x0303030303030303n },
    });
    expect(Header.decode(bytes.subarray(0, 56))).toMatchObject({ rev: 3, minor: 6, uflags: 0n });
  });

  it('has the state that the process had before it was frozen', () => {
    expect(taskOf(checkpoint(new FakeHost({ stopped: true }))).state).toBe(4);
    const zombie = statOf({ 3: 'Z', 38: '-1', 52: '256' });
    expect(taskOf(checkpoint(new FakeHost({ proc: { stat: zombie } })))).toMatchObject({
      ...{ exit_state: 0x20, exit_signal: 0xffffffff, exit_code: 256 },
    });
    expect(taskOf(checkpoint(new FakeHost({ proc: { stat: statOf({ 3: 'S' }) } }))).state).toBe(1);
  });

  it('is of any thread, each is a task', () => {
    const proc = {
      'task/4243/stat': statOf({ 3: 'S', 38: '-1' }),
      'task/4243/comm': 'worker\n',
    };
    const host = new FakeHost({ tids: [4242, 4243], proc });
    const bytes = checkpoint(host, 4243);
    expect(taskOf(bytes)).toMatchObject({ state: 1, exit_signal: 0xffffffff });
    expect(bytes.subarray(331, 338)).toEqual(encodeText('worker\0'));
    expect(caught(() => checkpoint(new FakeHost({ tids: [4242] }), 4999)).code).toBe('ESRCH');
  });

  it('has zeros behind a name, and 15 characters at most', () => {
    const stale = encodeText('short\0stale bytes here');
    expect(commField(stale)).toEqual(
      Uint8Array.from([...encodeText('short'), ...Array<number>(11).fill(0)]),
    );
    expect(commField(encodeText('sixteen-chars-xy'))[15]).toBe(0);
    const bytes = checkpoint(new FakeHost({ proc: { comm: 'two\nlines\n' } }));
    expect(bytes.subarray(331, 341)).toEqual(encodeText('two\nlines\0'));
  });

  it('plans a task that pauses under its name', () => {
    const host = new FakeHost();
    const file = new MemoryFile(golden('valid-comm-16-nonul.ckpt'));
    const { plan } = createEngine(host).restart(0, file);
    const calls = plan.steps.flatMap((step) => (step.op === 'call' ? [step] : []));
    const name = calls.find(({ call }) => call === 'prctl')?.args[1];
    expect(name).toEqual({ blob: encodeText('sixteen-chars-x\0') });
    expect(plan.notes[0]).toContain('holds no program');
    expect(plan.notes).toHaveLength(2);
    expect(plan.notes[1]).toContain('version');
    expect(plan.pid).toBe(0);
  });

  it('plans its tid pointers', () => {
    const file = new MemoryFile(golden('valid-task-odd.ckpt'));
    const plan = createEngine(new FakeHost()).plan(file);
    const { clear_child_tid, set_child_tid } = taskOf(golden('valid-task-odd.ckpt'));
    expect(plan.steps[0]).toMatchObject({ op: 'spawn', setChildTid: set_child_tid });
    const call = plan.steps.find((step) => step.op === 'call' && step.call === 'set_tid_address');
    expect(call).toMatchObject({ args: [clear_child_tid] });
  });
});
