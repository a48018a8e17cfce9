import { readFileSync } from 'node:fs';
import { CkptError, type ErrnoName } from '@ckpt/format';
import { decodeText, MemoryFile, type CkptFile } from '@ckpt/io';
import { describe, expect, it } from 'vitest';
import { createEngine } from './engine.ts';
import { caught } from './testing/caught.ts';
import { FakeHost } from './testing/fake-host.ts';
import { toyKinds } from './testing/toy-kinds.ts';

const golden = new URL('../../../golden/valid-minimal.ckpt', import.meta.url);
const minimal = () => new MemoryFile(new Uint8Array(readFileSync(golden)));

/** A file that may only be read, or only be written. */
function oneWay(access: 'read' | 'write', identity?: string): CkptFile {
  const file = new MemoryFile();
  const read = (into: Uint8Array) => file.read(into);
  const write = (from: Uint8Array) => file.write(from);
  return { access, read, write, identity };
}

describe('an engine', () => {
  it('refuses flags before anything else', () => {
    const host = new FakeHost();
    const engine = createEngine(host);
    const noFile = undefined as unknown as CkptFile;
    expect(engine.doSysCheckpoint(4242, noFile, 1)).toBe(-22);
    expect(engine.doSysRestart(0, noFile, 1)).toBe(-22);
    expect(engine.doSysCheckpoint(4242, noFile, 0)).toBe(-9);
    expect(host.events).toEqual([]);
  });

  it('refuses files that cannot be used, before anything is frozen', () => {
    const host = new FakeHost();
    const engine = createEngine(host);
    const image = new MemoryFile();
    expect(engine.doSysCheckpoint(4242, oneWay('read'), 0)).toBe(-9);
    expect(engine.doSysCheckpoint(4242, image, 0, oneWay('read'))).toBe(-9);
    expect(engine.doSysRestart(0, oneWay('write'), 0)).toBe(-9);
    expect(host.events).toEqual([]);
  });

  it('refuses a log that is the image', () => {
    const host = new FakeHost();
    const engine = createEngine(host);
    const image = new MemoryFile();
    expect(engine.doSysCheckpoint(4242, image, 0, image)).toBe(-22);
    const [a, b] = [oneWay('write', '1:2'), oneWay('write', '1:2')];
    expect(engine.doSysCheckpoint(4242, a, 0, b)).toBe(-22);
    expect(image.length).toBe(0);
    expect(host.events).toEqual([]);
  });

  it('knows no process of a wrong pid, and says so in log and image', () => {
    const engine = createEngine(new FakeHost());
    for (const pid of [999_999, -1, 0, 1.5]) {
      const log = new MemoryFile();
      const image = new MemoryFile();
      expect(engine.doSysCheckpoint(pid, image, 0, log)).toBe(-3);
      expect(decodeText(log.bytes)).toMatch(/^\[err -3\]\[pos 0\]\[E @ \w+:\d+\].+\n$/);
      image.rewind();
      expect(engine.doSysRestart(0, image, 0)).toBe(-5);
    }
  });

  it('takes pid 0 for its caller', () => {
    const host = Object.assign(new FakeHost(), { self: 77 });
    expect(createEngine(host).checkpoint(0, new MemoryFile()).pid).toBe(77);
  });

  it('counts the checkpoints that were made, and no others', () => {
    const engine = createEngine(new FakeHost());
    const checkpoint = (pid: number) => engine.doSysCheckpoint(pid, new MemoryFile(), 0);
    expect([1, 1, 999_999, 1].map(checkpoint)).toEqual([1, 2, -3, 3]);
  });

  it('begins to count again where a C int ends', () => {
    const engine = createEngine(new FakeHost(), { crid: 2 ** 31 - 2 });
    const checkpoint = () => engine.doSysCheckpoint(1, new MemoryFile(), 0);
    expect([checkpoint(), checkpoint()]).toEqual([2 ** 31 - 1, 1]);
  });

  it.each<ErrnoName>([
    ...(['ERESTARTSYS', 'ERESTARTNOINTR', 'ERESTARTNOHAND', 'ERESTART_RESTARTBLOCK'] as const),
  ])('says EINTR for %s', (code) => {
    const fail = () => {
      throw new CkptError(code, 'interrupted');
    };
    const engine = createEngine(new FakeHost({ onCopy: fail, run: fail }));
    expect(engine.doSysCheckpoint(1, new MemoryFile(), 0)).toBe(-4);
    expect(engine.doSysRestart(1, minimal(), 0)).toBe(-4);
  });

  it('restarts nothing while somebody has the pid', () => {
    const image = new MemoryFile();
    createEngine(new FakeHost()).checkpoint(4242, image);
    image.rewind();
    const host = new FakeHost({ holder: (pid) => (pid === 4242 ? '4242 (node)' : undefined) });
    const error = caught(() => createEngine(host).restart(0, image));
    expect(error.code).toBe('EEXIST');
    expect(error.sentence).toContain('4242 (node)');
    expect(host.events).toEqual([]);
  });

  it('tells of its progress', () => {
    const phases = new Set<string>();
    const options = { progress: ({ phase }: { phase: string }) => phases.add(phase) };
    const image = new MemoryFile();
    const engine = createEngine(new FakeHost(), options);
    engine.checkpoint(1, image);
    image.rewind();
    engine.restart(0, image);
    expect([...phases]).toEqual(['freeze', 'collect', 'write', 'read', 'run']);
  });

  it('tells how long a writer may wait', () => {
    const left: number[] = [];
    const onFreeze = (leftMs: () => number) => left.push(leftMs());
    const host = new FakeHost({ frozenMs: () => 10 });
    createEngine(host, { deadlineMs: 25, onFreeze }).checkpoint(1, new MemoryFile());
    expect(left).toEqual([15]);
  });

  it('prints debug lines of the classes that were asked for', () => {
    const lines: string[] = [];
    const debug = (line: string) => lines.push(line);
    const engine = createEngine(new FakeHost(), { revision: 3, debug, debugLevel: 4 });
    engine.checkpoint(1, new MemoryFile());
    expect(lines).toHaveLength(8);
    expect(lines[0]).toMatch(/type 1 len 56$/);
  });

  it('carries one process only', () => {
    const host = new FakeHost({ resources: toyKinds });
    const freeze = host.freeze.bind(host);
    host.freeze = (pid) => {
      const frozen = freeze(pid);
      return { ...frozen, tasks: [...frozen.tasks, ...frozen.tasks] };
    };
    expect(createEngine(host).doSysCheckpoint(1, new MemoryFile(), 0)).toBe(-38);
    expect(host.free).toBe(true);
  });
});
