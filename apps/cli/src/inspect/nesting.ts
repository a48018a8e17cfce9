import { ArrayHeader, recordKind, type Follower, type RecordType, type Struct } from '@ckpt/format';
import { CHECKPOINT_VERSION_PROCESS } from '@ckpt/format';

interface Owner {
  readonly type: number;
  readonly follows: readonly Follower[];
  /** Arrays that it has had so far. */
  arrays: number;
}

const isArray = (follower: Follower) => follower.kind === 'array';

/** Whether a record of that type may come right behind its owner, as a part of it. */
function owns({ follows, arrays }: Owner, type: number): boolean {
  if (type === ArrayHeader.type) return arrays < follows.filter(isArray).length;
  const name = recordKind(type, CHECKPOINT_VERSION_PROCESS)?.name;
  return follows.some((follower) => {
    if (follower.kind === 'record') return follower.record.type === type;
    return follower.kind === 'payload' && follower.name === name;
  });
}

/** Which record belongs to which, by what the declarations say follows. */
export class Nesting {
  /** The last record and its owners, outermost first. */
  readonly #open: Owner[] = [];

  depthOf(type: number, record: RecordType<unknown> | undefined): number {
    let depth = this.#open.length;
    while (depth > 0) {
      const owner = this.#open[depth - 1];
      if (owner !== undefined && owns(owner, type)) break;
      depth--;
    }
    this.#open.length = depth;
    this.#open.push({ type, follows: record?.follows ?? [], arrays: 0 });
    return depth;
  }

  /** What the elements of the record are, if it is an ARRAY whose owner tells. To be asked once. */
  elementOf(type: number): Struct<unknown> | undefined {
    const owner = this.#open.at(-2);
    if (type !== ArrayHeader.type || owner === undefined) return undefined;
    const array = owner.follows.filter(isArray)[owner.arrays++];
    return array?.kind === 'array' ? array.element : undefined;
  }
}
