import { CkptError } from '@ckpt/format';
import { decodeText, MemoryFile } from '@ckpt/io';
import { describe, expect, it } from 'vitest';
import { createEngine, verifyImage } from './engine.ts';
import { ObstacleError } from './obstacle-error.ts';
import type { Resource } from './resource.ts';
import { caught } from './testing/caught.ts';
import { FakeHost } from './testing/fake-host.ts';
import { toyKinds } from './testing/toy-kinds.ts';

const random = () => new Uint8Array(16);

/** A disk that is full at some byte, and has room for a message again if told. */
class FullFile extends MemoryFile {
  readonly #full: number;
  readonly #again: boolean;
  #failed = false;

  constructor(full: number, again: boolean) {
    super();
    this.#full = full;
    this.#again = again;
  }

  override write(from: Uint8Array): number {
    if (this.#failed && this.#again) return super.write(from);
    const room = this.#full - this.length;
    if (room > 0) return super.write(from.subarray(0, room));
    this.#failed = true;
    throw new CkptError('ENOSPC', 'no space left');
  }
}

function length(revision: 3 | 100): number {
  const file = new MemoryFile();
  return createEngine(new FakeHost(), { revision, random }).checkpoint(4242, file).length;
}

/** Every byte of metadata, some of the pages, every byte of the end. */
function places(revision: 3 | 100): number[] {
  const all = length(revision);
  const dense = Math.min(all, 1700);
  const found = Array.from({ length: dense }, (_, index) => index);
  for (let at = dense; at < all; at += (at > 4040 && at < 4160) || at > all - 24 ? 1 : 61) {
    found.push(at);
  }
  return found;
}

describe.each([3, 100] as const)(
  'a checkpoint of revision %i that runs out of space',
  (revision) => {
    it('leaves what no reader takes, and a process that goes on', () => {
      for (const full of places(revision)) {
        const host = new FakeHost();
        const file = new FullFile(full, false);
        const error = caught(() => createEngine(host, { revision, random }).checkpoint(4242, file));
        expect([full, error.code, file.length]).toEqual([full, 'ENOSPC', full]);
        expect(host.free).toBe(true);
        file.rewind();
        expect(caught(() => verifyImage(file)).code).toBe('EPIPE');
      }
    });

    it('says so in the image where that can still be', () => {
      const all = length(revision);
      for (const full of places(revision)) {
        const host = new FakeHost();
        const file = new FullFile(full, true);
        const log = new MemoryFile();
        const engine = createEngine(host, { revision, random });
        caught(() => engine.checkpoint(4242, file, 0, log));
        expect(host.free).toBe(true);
        expect(decodeText(log.bytes).trimEnd().split('\n')).toHaveLength(1);
        file.rewind();
        const error = caught(() => verifyImage(file));
        const inTail = full > all - 16;
        expect([full, error.code]).toEqual([full, inTail ? 'EPIPE' : 'EIO']);
        if (!inTail) expect(error.sentence).toContain('no space left');
      }
    });
  },
);

describe('a checkpoint', () => {
  const obstinate: Resource = {
    ...{ kind: 'socket', records: [], restore: () => undefined },
    checkpoint: ({ refuse, note }) => {
      refuse({ thing: 'descriptor 5', reason: 'a connection', remedy: 'close it' });
      refuse({ thing: 'descriptor 6', reason: 'another', remedy: 'close that' });
      note('something else');
    },
  };

  it('tells all obstacles at once, and writes no image', () => {
    const host = new FakeHost({ resources: [...toyKinds, obstinate] });
    const file = new MemoryFile();
    const log = new MemoryFile();
    const error = caught(() => createEngine(host, { random }).checkpoint(4242, file, 0, log));
    expect(error).toBeInstanceOf(ObstacleError);
    expect(error).toMatchObject({ code: 'EOPNOTSUPP', obstacles: [{}, {}] });
    expect(host.events).toEqual(['freeze', 'thaw']);
    file.rewind();
    expect(caught(() => verifyImage(file)).code).toBe('EIO');
    const lines = decodeText(log.bytes).split('\n');
    expect(lines[1]).toBe('[pos 0]descriptor 6: another; close that');
    expect(lines[2]).toMatch(/^\[err -95\]\[pos 0\]\[E @ \w+:\d+\]descriptor 5: a connection/);
    expect(createEngine(host).check(4242)).toMatchObject({ obstacles: [{}, {}], notes: [{}] });
  });

  it('logs hostile names so that a terminal shows them, one line each', () => {
    const hostile = 'a\n[err -1]\u001b[31m';
    const told: Resource = {
      ...obstinate,
      checkpoint: ({ refuse, note }) => {
        refuse({ thing: hostile, reason: 'first', remedy: hostile });
        refuse({ thing: hostile, reason: 'second', remedy: '' });
        note(hostile);
      },
    };
    const noted: Resource = {
      ...obstinate,
      checkpoint: ({ note }) => {
        note(hostile);
      },
    };
    const log = new MemoryFile();
    const file = new MemoryFile();
    const refusing = new FakeHost({ resources: [...toyKinds, told] });
    caught(() => createEngine(refusing, { random }).checkpoint(4242, file, 0, log));
    const noting = new FakeHost({ resources: [...toyKinds, noted] });
    createEngine(noting, { random }).checkpoint(4242, new MemoryFile(), 0, log);
    const text = decodeText(log.bytes);
    expect(text.split('\n')).toHaveLength(5);
    expect(text).not.toContain('\u001b');
    expect(text.split(String.raw`a\n[err -1]\x1b[31m`)).toHaveLength(6);
    file.rewind();
    expect(caught(() => verifyImage(file)).sentence).not.toContain('\u001b');
  });

  it('thaws when a kind fails, and says which', () => {
    const broken = { ...obstinate, checkpoint: () => caughtIn('EACCES', 'no right') };
    const host = new FakeHost({ resources: [broken] });
    const error = caught(() => createEngine(host, { random }).checkpoint(4242, new MemoryFile()));
    expect(error).toMatchObject({ code: 'EACCES', path: ['socket'] });
    expect(host.free).toBe(true);
  });

  it('thaws when there is a bug', () => {
    const broken: Resource = {
      ...obstinate,
      checkpoint: () => {
        throw new TypeError('a bug');
      },
    };
    const host = new FakeHost({ resources: [broken] });
    expect(() => createEngine(host, { random }).checkpoint(1, new MemoryFile())).toThrow(TypeError);
    expect(host.free).toBe(true);
  });

  it('gives up when the process stands still for too long', () => {
    let ms = 0;
    const host = new FakeHost({ frozenMs: () => (ms += 10) });
    const file = new MemoryFile();
    const engine = createEngine(host, { random, deadlineMs: 25 });
    expect(caught(() => engine.checkpoint(4242, file)).code).toBe('ETIMEDOUT');
    expect(host.free).toBe(true);
    file.rewind();
    expect(caught(() => verifyImage(file)).code).toBe('EIO');
  });

  it('kills only when the image is safe, and never thaws then', () => {
    const host = new FakeHost();
    const file = new MemoryFile();
    let safe: readonly string[] = [];
    const durable = () => {
      safe = [...host.events];
      expect(verifyImage(new MemoryFile(file.bytes)).revision).toBe(100);
    };
    createEngine(host, { random, kill: true, durable }).checkpoint(4242, file);
    expect(safe).not.toContain('kill');
    expect(host.events.at(-1)).toBe('kill');
    expect(host.events).not.toContain('thaw');
  });

  it('does not kill when the image is not safe', () => {
    const host = new FakeHost();
    const durable = () => caughtIn('EIO', 'the disk is broken');
    const engine = createEngine(host, { random, kill: true, durable });
    const file = new MemoryFile();
    expect(caught(() => engine.checkpoint(4242, file)).code).toBe('EIO');
    expect(host.events.filter((event) => event !== 'copy' && event !== 'contents')).toEqual([
      ...['freeze', 'thaw'],
    ]);
    expect(verifyImage(new MemoryFile(file.bytes)).length).toBe(file.length);
  });

  it('that is to be restarted is proven to before it kills, and makes no image else', () => {
    const good = new FakeHost({ tids: [4242, 4243], holder: () => 'itself' });
    createEngine(good, { random, kill: true, verify: true }).checkpoint(4242, new MemoryFile());
    expect(good.events.at(-1)).toBe('kill');
    const short = { position: 5, path: ['PIPE'], field: 'capacity' };
    const refusing: Resource = {
      ...{ kind: 'toy', records: [], checkpoint: () => undefined },
      restore: () => {
        throw new CkptError('ENOENT', 'no such thing', short);
      },
    };
    const host = new FakeHost({ resources: [...toyKinds, refusing] });
    const file = new MemoryFile();
    const engine = createEngine(host, { random, kill: true, verify: true });
    const error = caught(() => engine.checkpoint(4242, file));
    expect(error).toMatchObject({ code: 'ENOENT', ...short });
    expect(error.sentence).toBe('its image could not be restarted here: no such thing');
    expect(host.events).toEqual(['freeze', 'thaw']);
    file.rewind();
    expect(caught(() => verifyImage(file)).code).toBe('EIO');
  });

  it('looks again when all is written', () => {
    let there = true;
    const fickle: Resource = {
      ...{ kind: 'toy', records: [], checkpoint: () => undefined },
      restore: ({ note }) => {
        if (!there) throw new CkptError('ENOENT', 'it has gone');
        note('something is different');
      },
    };
    const resources = [...toyKinds, fickle];
    const same = createEngine(new FakeHost({ resources }), { random, verify: true });
    expect(same.checkpoint(4242, new MemoryFile()).notes).toEqual(['something is different']);
    const host = new FakeHost({ resources, onCopy: () => (there = false) });
    const engine = createEngine(host, { random, kill: true, verify: true });
    const file = new MemoryFile();
    expect(caught(() => engine.checkpoint(4242, file)).code).toBe('ENOENT');
    expect(host.events.at(-1)).toBe('thaw');
    file.rewind();
    expect(caught(() => verifyImage(file))).toMatchObject({ code: 'EIO' });
  });

  it('does not kill where the host could not run the plan', () => {
    const refused = Object.assign(new FakeHost(), {
      prove: () => {
        throw new CkptError('EPERM', 'ids may not be chosen');
      },
    });
    const engine = createEngine(refused, { random, kill: true, verify: true });
    expect(caught(() => engine.checkpoint(4242, new MemoryFile())).code).toBe('EPERM');
    expect(refused.events).toEqual(['freeze', 'thaw']);
  });

  it('of revision 3 proves nothing', () => {
    const engine = createEngine(new FakeHost(), { revision: 3, verify: true });
    expect(caught(() => engine.checkpoint(4242, new MemoryFile())).code).toBe('EINVAL');
  });

  it('of revision 3 does not kill', () => {
    const host = new FakeHost();
    const engine = createEngine(host, { revision: 3, kill: true });
    expect(caught(() => engine.checkpoint(4242, new MemoryFile())).code).toBe('EINVAL');
    expect(host.events).toEqual([]);
  });
});

function caughtIn(code: 'EACCES' | 'EIO', sentence: string): never {
  throw new CkptError(code, sentence);
}
