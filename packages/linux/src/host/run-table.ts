import { CkptError } from '@ckpt/format';
import { entryFlags, entryLayout } from './run-executor-code.ts';

/** Bytes in the new task, and pointers among them: the word at an offset leads to other bytes. */
interface Blob {
  readonly bytes: Uint8Array;
  readonly pointers: readonly { readonly offset: number; readonly to: Uint8Array }[];
}

/** An argument of an entry. */
export type Operand =
  | bigint
  /** What the entry of that name returned. */
  | { readonly result: string }
  | { readonly blob: Blob }
  /** Address of a room. */
  | { readonly room: string }
  /** The signed 32-bit word of that index in a room. */
  | { readonly word: string; readonly index: number };

/** A system call that the executor makes, as soon as its arguments are known. */
export interface Entry {
  /** Unique among all tables: what `result` refers to. */
  readonly id: string;
  readonly number: number;
  readonly args: readonly Operand[];
  readonly expect?: bigint;
  readonly expectRoom?: {
    readonly room: string;
    readonly offset: number;
    readonly bytes: Uint8Array;
  };
  /** The next entry runs even if this one fails. */
  readonly goOn: boolean;
}

export interface Outcome {
  /** One of {@link entryStatus}. */
  readonly status: number;
  readonly result: bigint;
}

/** Where tables may be written, and what was settled before. */
export interface Ground {
  /** Of the new task: for one table with its bytes. Aligned to 16. */
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
  /** Addresses of the rooms. */
  readonly rooms: ReadonlyMap<string, bigint>;
  /** Results of the tables that ran. */
  readonly results: ReadonlyMap<string, bigint>;
}

/** A table as it is written to the new task; `count` entries found place in it. */
export interface Table {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Everything behind a pointer is aligned for the widest type a call may expect there. */
const alignment = 16;

const aligned = (length: number): number => Math.ceil(length / alignment) * alignment;

/** Bytes of an entry with all that it points to. */
export function sizeOfEntry({ args, expectRoom }: Entry): number {
  const beside = args.flatMap((operand) => {
    if (typeof operand === 'bigint') return [];
    if ('result' in operand) return [alignment];
    if (!('blob' in operand)) return [];
    const { bytes, pointers } = operand.blob;
    return [bytes.length, ...pointers.map(({ to }) => to.length)];
  });
  return [...beside, expectRoom?.bytes.length ?? 0]
    .map(aligned)
    .reduce((sum, length) => sum + length, aligned(entryLayout.size));
}

/** Writes entries, and their bytes behind the room for all of them. */
class Writer {
  readonly #ground: Ground;
  readonly #inside = new Map<string, number>();
  #bytes: Uint8Array;
  #view: DataView;
  #end: number;

  constructor(ground: Ground, capacity: number) {
    this.#ground = ground;
    this.#end = aligned(capacity * entryLayout.size);
    this.#bytes = new Uint8Array(this.#end * 2);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  #reserve(length: number): number {
    const offset = this.#end;
    this.#end += aligned(length);
    if (this.#end > this.#bytes.length) {
      const grown = new Uint8Array(this.#end * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return offset;
  }

  /** Puts bytes behind the table; returns their address in the new task. */
  #put(bytes: Uint8Array): bigint {
    const offset = this.#reserve(bytes.length);
    this.#bytes.set(bytes, offset);
    return this.#ground.address + BigInt(offset);
  }

  #putBlob({ bytes, pointers }: Blob): bigint {
    const address = this.#put(bytes);
    const start = Number(address - this.#ground.address);
    for (const { offset, to } of pointers) {
      const target = this.#put(to);
      this.#view.setBigUint64(start + offset, target, true);
    }
    return address;
  }

  /** Address of an entry's result: in this table, or a copy of what an earlier table had. */
  #result(id: string): bigint {
    const index = this.#inside.get(id);
    if (index !== undefined) {
      return this.#ground.address + BigInt(index * entryLayout.size + entryLayout.result);
    }
    const result = this.#ground.results.get(id);
    if (result === undefined) throw new Error(`no call has the name ${id}`);
    const copy = new Uint8Array(8);
    new DataView(copy.buffer).setBigInt64(0, result, true);
    return this.#put(copy);
  }

  #room(name: string): bigint {
    const address = this.#ground.rooms.get(name);
    if (address === undefined) throw new Error(`no room has the name ${name}`);
    return address;
  }

  /** The word of an argument, and the flag that says how to take it. */
  #operand(operand: Operand): { readonly word: bigint; readonly flag: number } {
    if (typeof operand === 'bigint') return { word: operand, flag: 0 };
    if ('blob' in operand) return { word: this.#putBlob(operand.blob), flag: 0 };
    if ('room' in operand) return { word: this.#room(operand.room), flag: 0 };
    if ('result' in operand) return { word: this.#result(operand.result), flag: entryFlags.result };
    const word = this.#room(operand.word) + BigInt(operand.index * 4);
    return { word, flag: entryFlags.word };
  }

  /** Writes the next entry; returns whether it fits, with its bytes, into the ground. */
  add(entry: Entry): boolean {
    const end = this.#end;
    const index = this.#inside.size;
    this.#write(entry, index * entryLayout.size);
    if (this.#end > this.#ground.length) {
      this.#end = end;
      return false;
    }
    this.#inside.set(entry.id, index);
    return true;
  }

  #write(entry: Entry, base: number): void {
    const set = (offset: number, word: bigint): void => {
      this.#view.setBigUint64(base + offset, BigInt.asUintN(64, word), true);
    };
    let flags = entry.goOn ? entryFlags.goOn : 0;
    set(entryLayout.number, BigInt(entry.number));
    for (const [place, operand] of entry.args.entries()) {
      const { word, flag } = this.#operand(operand);
      set(entryLayout.args + place * 8, word);
      flags |= flag << place;
    }
    if (entry.expect !== undefined) {
      flags |= entryFlags.expect;
      set(entryLayout.expected, entry.expect);
    }
    if (entry.expectRoom !== undefined && entry.expectRoom.bytes.length > 0) {
      const { room, offset, bytes } = entry.expectRoom;
      flags |= entryFlags.expectRoom;
      set(entryLayout.room, this.#room(room) + BigInt(offset));
      set(entryLayout.roomBytes, this.#put(bytes));
      set(entryLayout.roomLength, BigInt(bytes.length));
    }
    set(entryLayout.flags, BigInt(flags));
  }
}

/** How many entries a table on this ground has at most. */
export function tableCapacity({ length }: Ground): number {
  return Math.max(Math.floor(length / 2 / entryLayout.size), 1);
}

/**
 * As many entries, from `start` on, as fit into the ground.
 * @throws CkptError E2BIG when not even one does.
 */
export function encodeTable(entries: readonly Entry[], start: number, ground: Ground): Table {
  const capacity = Math.min(entries.length - start, tableCapacity(ground));
  const writer = new Writer(ground, capacity);
  let count = 0;
  for (const entry of entries.slice(start, start + capacity)) {
    if (!writer.add(entry)) break;
    count += 1;
  }
  if (count === 0) {
    throw new CkptError('E2BIG', `a call with its bytes does not fit into ${ground.length} bytes`);
  }
  return { bytes: writer.bytes, count };
}

/** What became of each entry, from the table as the executor left it. */
export function decodeTable(bytes: Uint8Array, count: number): readonly Outcome[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, index) => {
    const base = index * entryLayout.size;
    return {
      status: view.getUint32(base + entryLayout.status, true),
      result: view.getBigInt64(base + entryLayout.result, true),
    };
  });
}
