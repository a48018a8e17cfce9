import { crc32c, CkptError, MetaEnd, Store } from '@ckpt/format';
import { decodeText, encodeText, MemoryFile, walkRecords } from '@ckpt/io';
import { describe, expect, it } from 'vitest';
import { createEngine, verifyImage } from './engine.ts';
import { recordName } from './record-types.ts';
import { caught } from './testing/caught.ts';
import { FakeHost, memoryOf, pageSize } from './testing/fake-host.ts';
import { toyKinds } from './testing/toy-kinds.ts';

const random = () => Uint8Array.from({ length: 16 }, (_, index) => index);

function image(host = new FakeHost(), options = {}): Uint8Array {
  const file = new MemoryFile();
  createEngine(host, { random, ...options }).checkpoint(4242, file);
  return file.bytes;
}

/** Type and place of each record. */
function records(bytes: Uint8Array) {
  const stream = { file: new MemoryFile(bytes), total: 0 };
  return [...walkRecords(stream)].map((header) => ({ ...header, name: recordName(header.type) }));
}

const whole = image();
const metaEnd = records(whole).find(({ type }) => type === MetaEnd.type);
const metadata = (metaEnd?.position ?? 0) + (metaEnd?.length ?? 0);

/** The image with a right checksum over changed metadata. */
function sealed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const at = metadata - MetaEnd.size;
  const end = { length: BigInt(at), algorithm: 1, checksum: crc32c(copy.subarray(0, at)) };
  copy.set(MetaEnd.encode(end), at);
  return copy;
}

describe('an image of a process', () => {
  it('has its records in their order', () => {
    expect(records(whole).map(({ name }) => name)).toEqual([
      ...['HEADER', 'BUFFER', 'BUFFER', 'BUFFER', 'FEATURES', 'IDENTITY', 'HEADER_ARCH'],
      ...[
        'ARRAY',
        'BUFFER',
        'CONTAINER',
        'TREE',
        'ARRAY',
        'EVENTFD',
        'EVENTFD',
        'PIPE',
        'CPU',
        'CPU_FPU',
      ],
      ...['STORE', 'META_END', 'PAD', 'PAGES', 'TAIL'],
    ]);
  });

  it('has its pages aligned', () => {
    const pages = records(whole).find(({ name }) => name === 'PAGES');
    expect(((pages?.position ?? 0) + 24) % pageSize).toBe(0);
  });

  it('is whole', () => {
    const found = verifyImage(new MemoryFile(whole));
    expect(found).toEqual({ revision: 100, length: whole.length, pages: 9, notes: [] });
  });

  it('comes back with its pages in their order', () => {
    const host = new FakeHost();
    const { status, plan, running } = createEngine(host).restart(0, new MemoryFile(whole));
    expect({ status, pid: running.pid, pages: plan.store.pages }).toEqual({
      ...{ status: 0, pid: 4242, pages: 9 },
    });
    const expected = new Uint8Array(9 * pageSize);
    expected.set(memoryOf(0x10000n, 4 * pageSize));
    expected.set(memoryOf(0x20000n, 2 * pageSize), 4 * pageSize);
    expected.set([1, 2, 3], 6 * pageSize);
    expected.set(encodeText('fd/3'.repeat(2000)).subarray(1, 5001), 7 * pageSize);
    expect(host.loaded).toEqual(expected);
  });

  it('compiles to a plan of sections, a barrier, and a resume for each thread', () => {
    const host = new FakeHost({ tids: [4242, 4243] });
    const plan = createEngine(host).plan(new MemoryFile(image(host)));
    expect(plan.steps.map(({ op, on }) => `${op} ${on}`)).toEqual([
      ...['spawn 4242', 'call 4242', 'call 4242', 'call 4242', 'load 4242', 'spawn 4242'],
      ...['meet 4242', 'resume 4242', 'resume 4243'],
    ]);
  });

  it('of a host that copies runs or uses the kernel is the same', () => {
    expect(image(new FakeHost({ copyRuns: true }))).toEqual(whole);
    const file = new MemoryFile();
    const host = new FakeHost({ inKernel: (bytes) => file.write(bytes) });
    createEngine(host, { random }).checkpoint(4242, file);
    expect(file.bytes).toEqual(whole);
  });

  it('through a slow pipe is the same', () => {
    const file = new MemoryFile(undefined, { writeMax: 7 });
    createEngine(new FakeHost(), { random }).checkpoint(4242, file);
    expect(file.bytes).toEqual(whole);
    const slow = new MemoryFile(whole, { readMax: 5 });
    expect(createEngine(new FakeHost()).doSysRestart(0, slow, 0)).toBe(0);
  });

  it('asks each thread once', () => {
    const host = new FakeHost({ tids: [4242, 4243] });
    image(host);
    expect(host.asked.map(({ call }) => call)).toEqual(['eventfd2', 'gettid', 'gettid']);
  });
});

describe('a damaged image of a process', () => {
  it('is refused wherever it ends', () => {
    const ends = Array.from({ length: metadata + 60 }, (_, index) => index);
    for (let end = metadata + 60; end < whole.length - 40; end += 997) ends.push(end);
    for (let end = whole.length - 40; end < whole.length; end++) ends.push(end);
    for (const end of ends) {
      const error = caught(() => verifyImage(new MemoryFile(whole.subarray(0, end))));
      expect([error.code, end]).toEqual(['EPIPE', end]);
      expect(error.position).toBeLessThanOrEqual(end);
    }
  });

  it('makes nothing of what ends before its pages', () => {
    for (let end = 0; end < metadata; end += 13) {
      const host = new FakeHost();
      caught(() => createEngine(host).restart(0, new MemoryFile(whole.subarray(0, end))));
      expect(host.events).toEqual([]);
    }
  });

  it.each([1, 0x80, 0xff])('is refused with any byte of metadata changed by %i', (mask) => {
    for (let at = 0; at < metadata; at++) {
      const bytes = whole.slice();
      bytes[at] = (bytes[at] ?? 0) ^ mask;
      const host = new FakeHost();
      const error = caught(() => createEngine(host).restart(0, new MemoryFile(bytes)));
      expect([at, error.position], error.message).toEqual([at, expect.any(Number)]);
      expect(host.events).toEqual([]);
    }
  });

  it('is refused with any byte of padding or of the tail changed', () => {
    const pages = records(whole).find(({ name }) => name === 'PAGES');
    const start = (pages?.position ?? 0) + 24;
    for (let at = metadata; at < whole.length; at++) {
      if (at === start) at = whole.length - 16;
      const bytes = whole.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      expect(caught(() => verifyImage(new MemoryFile(bytes)))).toBeInstanceOf(CkptError);
    }
  });

  it('is refused for what no kind knows, by name', () => {
    const resources = toyKinds.slice(1);
    const host = new FakeHost({ resources });
    const error = caught(() => createEngine(host).verify(new MemoryFile(whole)));
    expect([error.code, error.path]).toEqual(['ENOSYS', ['EVENTFD']]);
  });

  it('is refused for another machine or processor, by name', () => {
    const refused = (system: object) => {
      const host = new FakeHost({ system });
      return caught(() => createEngine(host).verify(new MemoryFile(whole)));
    };
    const uts = { release: '', version: '', machine: 'aarch64' };
    expect(refused({ uts }).sentence).toMatch(/x86_64, this is aarch64/);
    const cpu = { xfeatures: 1n, xstateSize: 832, flags: [] };
    expect(refused({ cpu }).sentence).toMatch(/use SSE, which/);
  });

  it('is refused by the kind that its value does not please', () => {
    const eventfd = records(whole).find(({ name }) => name === 'EVENTFD');
    const position = eventfd?.position ?? 0;
    const bytes = whole.slice();
    bytes.fill(0xff, position + 16, position + 24);
    const error = caught(() => createEngine(new FakeHost()).verify(new MemoryFile(sealed(bytes))));
    expect(error).toMatchObject({ code: 'EINVAL', position, field: 'count', path: ['EVENTFD'] });
  });

  it('is refused when two objects have one number', () => {
    const [first, second] = records(whole).filter(({ name }) => name === 'EVENTFD');
    const bytes = whole.slice();
    bytes[(second?.position ?? 0) + 8] = bytes[(first?.position ?? 0) + 8] ?? 0;
    const error = caught(() => verifyImage(new MemoryFile(sealed(bytes))));
    expect(error).toMatchObject({ code: 'EINVAL', field: 'objref' });
  });

  it('passes over a record that may be skipped', () => {
    const store = records(whole).find(({ type }) => type === Store.type)?.position ?? 0;
    const extra = Uint8Array.of(0x77, 0, 0, 0x80, 12, 0, 0, 0, 1, 2, 3, 4);
    const end = metadata - MetaEnd.size;
    const before = new Uint8Array(end + 12);
    before.set(whole.subarray(0, store));
    before.set(extra, store);
    before.set(whole.subarray(store, end), store + 12);
    const closing = { length: BigInt(end + 12), algorithm: 1, checksum: crc32c(before) };
    const parts = [before, MetaEnd.encode(closing)];
    const file = new MemoryFile();
    for (const part of parts) file.write(part);
    file.rewind();
    // Cut behind its metadata: that it was read is all that is asked here.
    expect(caught(() => verifyImage(file))).toMatchObject({
      code: 'EPIPE',
      position: end + 12 + MetaEnd.size,
    });
  });

  it('tells why its writer failed', () => {
    const file = new MemoryFile();
    const host = new FakeHost({
      onCopy: (index) => {
        if (index === 1) throw new CkptError('ESRCH', 'the process is gone');
      },
    });
    caught(() => createEngine(host, { random }).checkpoint(4242, file));
    file.rewind();
    const error = caught(() => verifyImage(file));
    expect(error.code).toBe('EIO');
    expect(error.sentence).toContain('the process is gone');
    expect(decodeText(file.bytes.slice(-30))).toContain('gone');
  });
});
