import {
  CKPT_HDR_BUFFER,
  archs,
  Container,
  Features,
  generate,
  HeaderArch,
  XstateComponent,
  Identity,
  recordKinds,
  Tree,
  TreeThread,
  type Follower,
  type Random,
  type RecordType,
  type Struct,
} from '@ckpt/format';
import { encodeBaseImage } from '@ckpt/engine';
import { below, once, oneOf } from '../draw.ts';
import { arrayRecord, closed, pageSize, rawRecord } from './records.ts';
import { emptyTask, writer } from './base-image.ts';

type Values = Record<string, unknown>;

const revision = 100;
/** Bytes of HEADER and three BUFFER records. */
const openingSize = 275;

/** Records that stand at a place of their own. */
const placed = new Set([...[1, 2, 5, 102, 801, 802, 803, 805, 806, 807, 808, 9001, 9999]]);

/** Kinds of record between TREE and STORE. */
const kinds = recordKinds(revision).flatMap(({ record, type }) =>
  record === undefined || placed.has(type) ? [] : [record],
);
const payloads = new Map(
  recordKinds(revision).flatMap(({ content, name, type }) =>
    content === 'payload' ? [[name, type]] : [],
  ),
);

/** Makes records whose numbers of objects, threads and pages lead somewhere. */
class Drawing {
  readonly records: Uint8Array[] = [];
  readonly #random: Random;
  readonly #tids: readonly number[];
  #objects = 0;

  constructor(random: Random, tids: readonly number[]) {
    this.#random = random;
    this.#tids = tids;
  }

  /** A record with all that follows it. */
  add(record: RecordType<unknown>): void {
    this.records.push(record.encode(this.#value(record)));
    for (const follower of record.follows) {
      if (follower.optional && !once(this.#random, 2)) continue;
      this.#follow(follower);
    }
  }

  #follow(follower: Follower): void {
    const random = this.#random;
    const count = below(random, 4);
    if (follower.kind === 'record') this.add(follower.record);
    else if (follower.kind === 'array') {
      const { element } = follower;
      const values = Array.from({ length: count }, () => this.#value(element));
      this.records.push(arrayRecord(element, values));
    } else {
      const bytes = Uint8Array.from({ length: count * 8 }, () => random());
      this.records.push(rawRecord(payloads.get(follower.name) ?? 0, bytes));
    }
  }

  #value(struct: Struct<unknown>): unknown {
    const random = this.#random;
    const value = generate(struct, random, { valid: true }) as Values;
    for (const { name, field } of struct.fields) {
      if (field.notation.kind === 'objref') {
        value[name] = name === 'objref' ? ++this.#objects : below(random, this.#objects + 1);
      }
      if (name === 'tid' || name === 'tgid') value[name] = this.#tids[below(random, 2)] ?? 1;
    }
    return value;
  }
}

const thread = (tid: number, tgid: number): TreeThread => ({
  ...{ tid, tgid, ppid: 1, pgid: tgid, sid: tgid, creator: 0, depth: 0, flags: 0 },
});

/** HEADER and BUFFER records: those of revision 3, but for the revision. */
function opening(): Uint8Array {
  const bytes = encodeBaseImage(writer, emptyTask).slice(0, openingSize);
  bytes[24] = revision;
  return bytes;
}

/** Records of an image up to CONTAINER, as every image has them. */
function head(random: Random): readonly Uint8Array[] {
  const identity = generate(Identity, random, { valid: true });
  const arch = { isa: archs.x86_64, xstate_size: 832, xfeatures: 7n, vdso_hash: 0, vdso_size: 0 };
  return [
    opening(),
    Features.encode({ incompatible: 0n, compatible: 0n }),
    Identity.encode({
      ...{ ...identity, parent: new Uint8Array(16) },
      ...{ page_size: pageSize, alignment: pageSize },
    }),
    HeaderArch.encode(arch),
    arrayRecord(XstateComponent, [{ feature: 2, offset: 576, size: 256 }]),
    rawRecord(CKPT_HDR_BUFFER, new Uint8Array()),
    Container.encode({}),
  ];
}

/** Kinds of record for one image: mostly those wanted, in the order of their numbers. */
function someKinds(
  random: Random,
  types: readonly number[] | undefined,
): readonly RecordType<unknown>[] {
  const wanted = types === undefined ? kinds : kinds.filter(({ type }) => types.includes(type));
  const first = types === undefined ? below(random, wanted.length) : 0;
  const count = below(random, 12);
  return Array.from({ length: count }, (_, index) => {
    const next = wanted[(first + index) % Math.max(1, wanted.length)];
    return once(random, 4) || next === undefined ? oneOf(random, kinds) : next;
  });
}

/**
 * A process image of any records, whose form is right; `types`: numbers of those that it mostly
 * has.
 */
export function processImage(random: Random, types?: readonly number[]): Uint8Array {
  const pages = Math.max(0, below(random, 6) - 3);
  const tids = once(random, 2) ? [4242, 4243] : [4242];
  const drawing = new Drawing(random, tids);
  for (const kind of someKinds(random, types)) drawing.add(kind);
  const tree = Tree.encode({ tasks: 1, threads: tids.length });
  const threads = arrayRecord(
    TreeThread,
    tids.map((tid) => thread(tid, 4242)),
  );
  return closed([...head(random), tree, threads, ...drawing.records], pages);
}
