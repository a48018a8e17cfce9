import { createEngine, verifyImage, type EngineOptions } from '@ckpt/engine';
import {
  compareFacts,
  MemoryHost,
  parseFacts,
  stringifyFacts,
  type MemoryHostOptions,
  type RecordedFacts,
} from '@ckpt/engine/model';
import { CkptError } from '@ckpt/format';
import { MemoryFile } from '@ckpt/io';
import { describe, expect, test } from 'vitest';
import { resources } from './resources/index.ts';
import { recorded, recordings } from './testing/record.ts';

type Options = Omit<MemoryHostOptions, 'resources'>;

const hostOf = (facts: RecordedFacts, options: Options = {}): MemoryHost =>
  new MemoryHost(facts, { resources, ...options });

function imageOf(host: MemoryHost, pid: number, options: EngineOptions = { kill: true }) {
  const file = new MemoryFile();
  createEngine(host, options).checkpoint(pid, file);
  file.rewind();
  return file;
}

function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.for(recordings().map((name) => [name] as const))('%s', ([name]) => {
  const facts = recorded(name);
  const { pid } = facts.task;

  test('comes back on the model as it was', () => {
    const host = hostOf(facts);
    const { running } = createEngine(host).restart(0, imageOf(host, pid));
    expect(running.warnings).toEqual([]);
    expect(compareFacts(facts, host.facts(pid), { exactTimes: true })).toEqual([]);
  });

  test('comes back a second time, from an image of its second life', () => {
    const host = hostOf(facts);
    createEngine(host).restart(0, imageOf(host, pid));
    const second = imageOf(host, pid);
    expect(verifyImage(new MemoryFile(second.bytes)).revision).toBe(100);
    createEngine(host).restart(0, second);
    expect(compareFacts(facts, host.facts(pid), { exactTimes: true })).toEqual([]);
  });

  test('is the same from its own JSON', () => {
    expect(compareFacts(facts, parseFacts(stringifyFacts(facts)), { exactTimes: true })).toEqual(
      [],
    );
  });
});

describe('a checkpoint', () => {
  const facts = recorded('counts');
  const { pid } = facts.task;

  test('lets the process go whichever fact cannot be read', () => {
    const asked: string[] = [];
    imageOf(hostOf(facts, { fault: (method, key) => void asked.push(`${method} ${key}`) }), pid);
    expect(asked.length).toBeGreaterThan(100);
    for (const failing of new Set(asked)) {
      const host = hostOf(facts, {
        fault: (method, key) =>
          `${method} ${key}` === failing ? new CkptError('EIO', failing) : undefined,
      });
      const error = caught(() => imageOf(host, pid));
      // Some facts may be missing: the image is whole without them.
      if (error !== undefined) expect(error).toBeInstanceOf(CkptError);
      const { frozen, thawed, killed } = host.counts;
      expect([failing, frozen, thawed + killed]).toEqual([failing, 1, 1]);
      if (error !== undefined) expect([failing, killed]).toEqual([failing, 0]);
    }
  });

  test('names the fact that was not recorded', () => {
    const read = Object.fromEntries(
      Object.entries(facts.read).filter(([path]) => path !== 'limits'),
    );
    const error = caught(() => imageOf(hostOf({ ...facts, read }), pid));
    expect(error).toMatchObject({ code: 'ENODATA', sentence: 'read limits was not recorded' });
  });

  test('ends when the process was frozen for too long', () => {
    const host = hostOf(facts, { frozenMs: () => 1001 });
    const error = caught(() => imageOf(host, pid, { deadlineMs: 1000 }));
    expect(error).toMatchObject({ code: 'ETIMEDOUT' });
    expect(host.counts).toEqual({ frozen: 1, thawed: 1, killed: 0 });
  });
});

describe('a restart', () => {
  const facts = recorded('settings');
  const { pid } = facts.task;
  const image = imageOf(hostOf(facts), pid).bytes;

  test('refuses a pid that is in use, and says by whom', () => {
    const error = caught(() => createEngine(hostOf(facts)).restart(0, new MemoryFile(image)));
    expect(error).toMatchObject({ code: 'EEXIST' });
    expect((error as CkptError).sentence).toContain(`${pid} (`);
  });

  /** A host whose process has gone. */
  function emptied(options: Options = {}): MemoryHost {
    const host = hostOf(facts, options);
    host.freeze(pid).kill();
    return host;
  }

  test('leaves nothing behind whichever step fails', () => {
    const { steps } = createEngine(emptied()).plan(new MemoryFile(image));
    for (const { id, ...step } of steps) {
      const host = emptied({ stepFault: (each) => (each.id === id ? 'EIO' : undefined) });
      const act = () => createEngine(host).restart(0, new MemoryFile(image));
      if (step.op === 'call' && step.failure === 'warn') {
        expect(act().running.warnings).toEqual([`${step.what}: EIO`]);
        continue;
      }
      expect(caught(act)).toMatchObject({ code: 'EIO', position: step.from.position });
      expect([id, host.kernel.machine.processes.size]).toEqual([id, 0]);
      expect(host.holder(pid)).toBeUndefined();
    }
    expect(steps.length).toBeGreaterThan(150);
  });

  test('needs the files that it maps', () => {
    const host = emptied();
    host.kernel.machine.files.unlink('/usr/lib/x86_64-linux-gnu/libc.so.6');
    const error = caught(() => createEngine(host).restart(0, new MemoryFile(image)));
    expect(error).toMatchObject({ code: 'ENOENT', field: 'name' });
  });
});
