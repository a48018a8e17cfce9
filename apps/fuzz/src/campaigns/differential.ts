import { CkptError, recordKinds, type Random, type Struct } from '@ckpt/format';
import { readBaseImage, readOpening, verifyImage, type KernelVersion } from '@ckpt/engine';
import { MemoryFile, walkRecords } from '@ckpt/io';
import { Failure, overBytes, type Campaign, type Input } from '../campaign.ts';
import { oneOf } from '../draw.ts';
import { mutatedProcess, mutatedSeed } from '../images/mutate.ts';
import type { Seeds } from '../images/seeds.ts';
import { readBaseImage as naiveBase } from '../naive/base.ts';
import { Defect, frames } from '../naive/cursor.ts';
import type { Known, Shape, Shapes } from '../naive/metadata.ts';
import { readImage as naiveImage } from '../naive/process.ts';

type Placed = Struct<unknown>['fields'][number];

/** What a reader makes of bytes: what it found, or what is wrong. */
type Verdict = Readonly<Record<string, unknown>>;

export type Read = (bytes: Uint8Array) => Verdict;

const kernel: KernelVersion = [2, 6, 37];

/** What the naive reader is told of a field that holds nothing but what has a name. */
function knownOf({ offset, field: { size, notation } }: Placed): readonly Known[] {
  if (notation.kind !== 'flags' && notation.kind !== 'enum') return [];
  if (notation.others === true) return [];
  const values = Object.values(notation.names).map(BigInt);
  if (notation.kind === 'enum') return [{ offset, size, values }];
  return [{ offset, size, bits: values.reduce((all, bit) => all | bit, 0n) }];
}

/** The layout of revision 100 as plain numbers: the naive reader imports nothing. */
const shapes: Shapes = new Map(
  recordKinds(100).flatMap(({ type, content, record }): [number, Shape | undefined][] => {
    if (content === 'payload' || type === 803) return [[type, undefined]];
    if (record === undefined) return [];
    const { size, fields } = record;
    const zeros = fields.flatMap(({ offset, field }) =>
      field.notation.kind === 'reserved' ? [offset] : [],
    );
    const objref = fields.find(({ name }) => name === 'objref')?.offset;
    const known = fields.flatMap(knownOf);
    return [[type, { size, zeros, known, ...(objref === undefined ? {} : { objref }) }]];
  }),
);

/** Our readers, by the target of an input. */
export const ours: Readonly<Record<string, Read>> = {
  base: (bytes) => baseOf(bytes),
  'base of a kernel': (bytes) => baseOf(bytes, kernel),
  image: (bytes) => {
    const { revision, length, pages } = verifyImage(new MemoryFile(bytes));
    return { revision, length, pages };
  },
  frames: (bytes) => ({ records: [...walkRecords({ file: new MemoryFile(bytes), total: 0 })] }),
};

function baseOf(bytes: Uint8Array, version?: KernelVersion): Verdict {
  const stream = { file: new MemoryFile(bytes), total: 0 };
  const opening = readOpening(stream, version);
  const { header, release, version: build, machine, revision } = opening;
  const { major, minor, patch, rev, time } = header;
  const uts = { release, version: build, machine };
  const read = revision === 3 ? readBaseImage(stream, opening) : undefined;
  return {
    ...{ major, minor, patch, rev, time, ...uts, ...read?.task },
    ...(read === undefined ? {} : { comm: read.comm }),
    length: stream.total,
  };
}

const naive: Readonly<Record<string, Read>> = {
  base: (bytes) => flat(naiveBase(bytes)),
  'base of a kernel': (bytes) => flat(naiveBase(bytes, kernel)),
  image: (bytes) => {
    const { revision, length, pages } = naiveImage(bytes, shapes);
    return { revision, length, pages };
  },
  frames: (bytes) => ({
    records: frames(bytes).map(({ start, ...rest }) => ({ ...rest, position: start })),
  }),
};

const flat = ({ fields, length }: ReturnType<typeof naiveBase>): Verdict => ({ ...fields, length });

/** The same whatever the order of names; numbers are told from bigints. */
function shown(verdict: Verdict): string {
  const names = Object.keys(verdict).sort();
  return JSON.stringify(verdict, (_, value: unknown) => {
    if (value === verdict) return names.map((name) => [name, verdict[name]]);
    if (typeof value === 'bigint') return `${value}n`;
    return value instanceof Uint8Array ? [...value].join(' ') : value;
  });
}

function judge(read: Read | undefined, bytes: Uint8Array): Verdict {
  if (read === undefined) throw new Error('no such reader');
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof CkptError) {
      const { code, position, sentence } = error;
      const text = code === 'EIO' ? /left an error(?:: ([^]*))?/.exec(sentence)?.[1] : undefined;
      return { errno: code, position, text: text ?? '' };
    }
    if (!(error instanceof Defect)) throw error;
    return { errno: error.errno, position: error.position, text: error.text ?? '' };
  }
}

/** What the two disagree about: the errno, the position, a field. */
function difference(one: Verdict, other: Verdict): string | undefined {
  if (shown(one) === shown(other)) return undefined;
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return names.find((name) => shown({ a: one[name] }) !== shown({ a: other[name] })) ?? 'nothing';
}

const targets = Object.keys(ours);

/** Our readers and a naive one agree about everything that an image says. */
export function differential(seeds: Seeds, readers = ours): Campaign<Input> {
  return overBytes({
    name: 'differential',
    doc: 'our reader against a naive one: verdict, errno, position and fields agree',
    make(random: Random) {
      const target = oneOf(random, targets);
      const isProcess = target === 'image' || (target === 'frames' && (random() & 1) === 1);
      const bytes = isProcess
        ? mutatedProcess(random, seeds.process)
        : mutatedSeed(random, seeds.base);
      return { bytes, target, args: [] };
    },
    run({ bytes, target }) {
      const mine = judge(readers[target], bytes);
      const theirs = judge(naive[target], bytes);
      const differ = difference(mine, theirs);
      if (differ === undefined) return;
      const message = `${target}: ours ${shown(mine)}, the naive reader ${shown(theirs)}`;
      throw new Failure(`${differ} of ${target}`, message);
    },
  });
}
