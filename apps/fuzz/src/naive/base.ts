import { bytesAt, cursorOf, Defect, record, type Cursor } from './cursor.ts';

const MAGIC_HEAD = 0x00feed0cc0a2d200n;
const MAGIC_TAIL = 0x002d2a0cc0deef00n;

/** What an image says, by names; and how long it is. */
export interface Reading {
  readonly revision: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly length: number;
  readonly pages: number;
}

/** Major, minor, patch. */
export type Kernel = readonly [number, number, number];

/** Offsets in HEADER of the sizes that the writer's kernel had, and what they must be. */
const constants = [
  [32, 16],
  [34, 65],
  [36, 65],
  [38, 65],
] as const;

function checkHeader({ view, total }: Cursor, at: number, kernel: Kernel | undefined): number {
  const bad = (what: string): Defect => new Defect('EINVAL', total, what);
  if (view.getBigUint64(at + 8, true) !== MAGIC_HEAD) throw bad('magic');
  const revision = view.getUint16(at + 24, true);
  if (revision !== 3 && revision !== 100) throw bad('revision');
  if (revision === 3 && kernel !== undefined) {
    const [major, minor, patch] = kernel;
    if (view.getUint16(at + 18, true) !== major) throw bad('major');
    if (view.getUint16(at + 20, true) !== minor) throw bad('minor');
    if (view.getUint16(at + 22, true) !== patch) throw bad('patch');
  }
  if (view.getBigUint64(at + 48, true) !== 0n) throw bad('uflags');
  for (const [offset, due] of constants) {
    if (view.getUint16(at + offset, true) !== due) throw bad('constants');
  }
  return revision;
}

/** Reads HEADER and three BUFFER records. */
export function readOpening(cursor: Cursor, kernel?: Kernel): Reading {
  const at = record(cursor, 56, 1);
  const revision = checkHeader(cursor, at, kernel);
  const buffers = [record(cursor, 73, 3), record(cursor, 73, 3), record(cursor, 73, 3)];
  const [release, version, machine] = buffers.map((start) =>
    bytesAt(cursor, start + 8, start + 73),
  );
  const { view } = cursor;
  const fields = {
    major: view.getUint16(at + 18, true),
    minor: view.getUint16(at + 20, true),
    patch: view.getUint16(at + 22, true),
    rev: revision,
    time: view.getBigUint64(at + 40, true),
    ...{ release, version, machine },
  };
  return { revision, fields, length: cursor.total, pages: 0 };
}

/** Reads what follows the opening of revision 3. */
export function readBase(cursor: Cursor, opening: Reading): Reading {
  const { view } = cursor;
  record(cursor, 8, 2);
  const task = record(cursor, 40, 101);
  const name = record(cursor, 24, 4);
  const comm = bytesAt(cursor, name + 8, name + 24).slice();
  comm[15] = 0;
  const tail = record(cursor, 16, 9001);
  if (view.getBigUint64(tail + 8, true) !== MAGIC_TAIL) {
    throw new Defect('EINVAL', cursor.total, 'magic of the tail');
  }
  const fields = {
    ...opening.fields,
    state: view.getUint32(task + 8, true),
    exit_state: view.getUint32(task + 12, true),
    exit_code: view.getUint32(task + 16, true),
    exit_signal: view.getUint32(task + 20, true),
    set_child_tid: view.getBigUint64(task + 24, true),
    clear_child_tid: view.getBigUint64(task + 32, true),
    comm,
  };
  return { revision: 3, fields, length: cursor.total, pages: 0 };
}

/** Reads an image whose revision is 3; of any other it reads the opening. */
export function readBaseImage(bytes: Uint8Array, kernel?: Kernel): Reading {
  const cursor = cursorOf(bytes);
  const opening = readOpening(cursor, kernel);
  return opening.revision === 3 ? readBase(cursor, opening) : opening;
}
