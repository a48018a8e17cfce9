import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CkptConst, CkptHdr, Container, ErrorRecord, Header, Tail, Task } from './base.ts';
import type { Struct } from '../struct.ts';
import { CHECKPOINT_MAGIC_HEAD, CHECKPOINT_MAGIC_TAIL } from './base.ts';

const offsets = (struct: { fields: readonly { name: string; offset: number }[] }) =>
  Object.fromEntries(struct.fields.map(({ name, offset }) => [name, offset]));

it.each([
  [CkptHdr, 8],
  [CkptConst, 8],
  [Header, 56],
  [Container, 8],
  [Task, 40],
  [Tail, 16],
  [ErrorRecord, 8],
])('$name has the size that the base gives it', ({ size }, expected) => {
  expect(size).toBe(expected);
});

it('a header has its fields where the base has them', () => {
  expect(offsets(Header)).toEqual({
    magic: 8,
    _padding: 16,
    major: 18,
    minor: 20,
    patch: 22,
    rev: 24,
    _hole: 26,
    task_comm_len: 32,
    uts_release_len: 34,
    uts_version_len: 36,
    uts_machine_len: 38,
    time: 40,
    uflags: 48,
  });
});

it('a task has its fields where the base has them', () => {
  expect(offsets(Task)).toEqual({
    state: 8,
    exit_state: 12,
    exit_code: 16,
    exit_signal: 20,
    set_child_tid: 24,
    clear_child_tid: 32,
  });
});

it('the magics have all of their 64 bits on disk, lowest byte first', () => {
  const head = Header.encode({
    ...Header.decode(new Uint8Array()),
    magic: CHECKPOINT_MAGIC_HEAD,
    rev: 3,
  });
  expect(Buffer.from(head.subarray(0, 28)).toString('hex')).toBe(
    '01000000' + '38000000' + '00d2a2c00cedfe00' + '0000' + '000000000000' + '0300' + '0000',
  );
  const tail = Tail.encode({ magic: CHECKPOINT_MAGIC_TAIL });
  expect(Buffer.from(tail).toString('hex')).toBe('29230000' + '10000000' + '00efdec00c2a2d00');
});

it('a header is read whatever its padding says', () => {
  const bytes = Header.encode({ ...Header.decode(new Uint8Array()), rev: 3 });
  bytes.fill(0xaa, 16, 18);
  bytes.fill(0xbb, 26, 32);
  expect(Header.decode(bytes)).toMatchObject({ rev: 3, _padding: 0xaaaa });
});

const images = new URL('../../../../golden/', import.meta.url);

it.each(['minimal', 'task-odd', 'time-max', 'uts-other'])(
  'an image of the base (%s) has these structs at their places',
  (name) => {
    const image = new Uint8Array(readFileSync(new URL(`valid-${name}.ckpt`, images)));
    for (const { struct, at } of [
      { struct: Header, at: 0 },
      { struct: Container, at: 275 },
      { struct: Task, at: 283 },
      { struct: Tail, at: 347 },
    ]) {
      const bytes = image.slice(at, at + struct.size);
      expect(CkptHdr.decode(bytes.subarray(0, 8))).toEqual({ type: struct.type, len: struct.size });
      expect(reencode(struct, bytes)).toEqual(bytes);
    }
  },
);

function reencode<T>(struct: Struct<T>, bytes: Uint8Array): Uint8Array {
  return struct.encode(struct.decode(bytes));
}
