import { CkptError } from '@ckpt/format';
import type { PageRun } from '../frozen.ts';
import type { MemoryFact, RecordedFacts } from './facts.ts';
import { pageOf } from './page-digest.ts';

const pageSize = 4096;

const pageAddress = (address: bigint): bigint => address - (address % BigInt(pageSize));

/** Digests of all pages, by address. */
export function digestsOf({ pages }: Pick<RecordedFacts, 'pages'>): ReadonlyMap<bigint, number> {
  const map = new Map<bigint, number>();
  for (const { address, digests } of pages) {
    const view = new DataView(digests.buffer, digests.byteOffset, digests.length);
    for (let index = 0; index * 4 + 4 <= digests.length; index++) {
      map.set(address + BigInt(index * pageSize), view.getUint32(index * 4, true));
    }
  }
  return map;
}

/** Memory as facts tell it: pages made from their digests, and what was read as it was. */
export class FactsMemory {
  readonly #digests: ReadonlyMap<bigint, number>;
  /** Those that touch a page, by its address. */
  readonly #read = new Map<bigint, MemoryFact[]>();
  readonly #scans: RecordedFacts['scans'];

  constructor(facts: RecordedFacts) {
    this.#digests = digestsOf(facts);
    this.#scans = facts.scans;
    for (const fact of facts.memory) {
      const end = fact.address + BigInt(fact.bytes.length);
      for (let page = pageAddress(fact.address); page < end; page += BigInt(pageSize)) {
        const here = this.#read.get(page);
        if (here === undefined) this.#read.set(page, [fact]);
        else here.push(fact);
      }
    }
  }

  /** A whole page; bytes of which nothing is known are undefined for all of it. */
  #page(page: bigint): Uint8Array | undefined {
    const digest = this.#digests.get(page);
    if (digest === undefined) return undefined;
    const bytes = pageOf(digest);
    for (const fact of this.#read.get(page) ?? []) overlay(bytes, page, fact);
    return bytes;
  }

  /** @throws CkptError ENODATA where nothing was recorded. */
  read(address: bigint, length: number): Uint8Array {
    const whole = (this.#read.get(pageAddress(address)) ?? []).find(
      (fact) =>
        fact.address <= address &&
        fact.address + BigInt(fact.bytes.length) >= address + BigInt(length),
    );
    if (whole !== undefined) {
      const start = Number(address - whole.address);
      return whole.bytes.slice(start, start + length);
    }
    const into = new Uint8Array(length);
    const end = address + BigInt(length);
    for (let page = pageAddress(address); page < end; page += BigInt(pageSize)) {
      const bytes = this.#page(page);
      if (bytes === undefined) {
        const where = `memory ${address.toString(16)} ${length}`;
        throw new CkptError('ENODATA', `${where} was not recorded`);
      }
      overlay(into, address, { address: page, bytes });
    }
    return into;
  }

  /** Runs of pages in a range that was scanned, alone or as part of a larger one. */
  scan(start: bigint, end: bigint): readonly PageRun[] {
    const scan = this.#scans.find((each) => each.start <= start && each.end >= end);
    if (scan === undefined) {
      const range = `${start.toString(16)}-${end.toString(16)}`;
      throw new CkptError('ENODATA', `pages ${range} was not recorded`);
    }
    return scan.runs.flatMap((run) => clip(run, start, end));
  }
}

function overlay(into: Uint8Array, at: bigint, { address, bytes }: MemoryFact): void {
  const skip = address < at ? Number(at - address) : 0;
  const offset = address > at ? Number(address - at) : 0;
  into.set(bytes.subarray(skip, skip + into.length - offset), offset);
}

function clip(run: PageRun, start: bigint, end: bigint): readonly PageRun[] {
  const runEnd = run.address + BigInt(run.pages * pageSize);
  const from = run.address > start ? run.address : start;
  const to = runEnd < end ? runEnd : end;
  if (from >= to) return [];
  return [{ ...run, address: from, pages: Number((to - from) / BigInt(pageSize)) }];
}
