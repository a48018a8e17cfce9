import { CkptError } from '@ckpt/format';
import type { Answer } from '../call.ts';
import type { FileExtents, FileStat } from '../file-stat.ts';
import type { Frozen, Holding, PageRun, ThreadState } from '../frozen.ts';
import type { System } from '../system.ts';
import type { ContentFact, Facts, FailureFact, RecordedFacts, ScanFact } from './facts.ts';
import { rangeKey } from './facts.ts';
import { pageDigest, type Hole } from './page-digest.ts';

const pageSize = 4096;
/** Bytes that are looked at in one go. */
const chunkSize = 1 << 18;

const plain = <T>(map: ReadonlyMap<string, T>): Facts<T> => Object.fromEntries(map);

/** Descriptors by what they lead to, from comparisons two by two. */
class Descriptions {
  readonly #lowest = new Map<number, number>();

  note(a: number, b: number, same: boolean): void {
    const [first, second] = [this.#of(a), this.#of(b)];
    if (!same || first === second) return;
    const low = Math.min(first, second);
    for (const [fd, word] of this.#lowest) {
      if (word === first || word === second) this.#lowest.set(fd, low);
    }
  }

  #of(fd: number): number {
    const word = this.#lowest.get(fd) ?? fd;
    this.#lowest.set(fd, word);
    return word;
  }

  facts(): Facts<number> {
    return Object.fromEntries([...this.#lowest].map(([fd, word]) => [String(fd), word]));
  }
}

/** Facts while they are gathered. */
export class FactsDraft {
  readonly read = new Map<string, Uint8Array | undefined>();
  readonly list = new Map<string, readonly string[]>();
  readonly link = new Map<string, string | undefined>();
  readonly stat = new Map<string, FileStat | undefined>();
  readonly threads = new Map<string, ThreadState>();
  readonly ask = new Map<string, Answer>();
  readonly probe = new Map<string, Answer>();
  readonly unshared = new Map<string, readonly ('files' | 'fs')[]>();
  readonly watches = new Map<string, boolean>();
  readonly pipes = new Map<string, Uint8Array>();
  readonly polls = new Map<string, number>();
  readonly holders = new Map<string, readonly string[]>();
  readonly holdings = new Map<string, readonly Holding[]>();
  readonly handles = new Map<string, string | undefined>();
  readonly peers = new Map<string, bigint | undefined>();
  readonly extents = new Map<string, FileExtents>();
  readonly files = new Map<string, FileStat | undefined>();
  readonly descriptions = new Descriptions();
  pendingShared: readonly Uint8Array[] = [];
  readonly #failures = new Map<string, FailureFact>();
  readonly #scans = new Map<string, ScanFact>();
  readonly #memory = new Map<string, { address: bigint; bytes: Uint8Array }>();
  readonly #digests = new Map<bigint, number>();
  readonly #contents: ContentFact[] = [];

  /** Passes on what a call gives, or fails with. */
  try<T>(key: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (error instanceof CkptError) {
        this.#failures.set(key, { code: error.code, sentence: error.sentence });
      }
      throw error;
    }
  }

  scan(start: bigint, end: bigint, runs: readonly PageRun[]): void {
    this.#scans.set(`${start.toString(16)}-${end.toString(16)}`, { start, end, runs });
  }

  memory(address: bigint, bytes: Uint8Array): void {
    this.#memory.set(rangeKey(address, bytes.length), { address, bytes: bytes.slice() });
  }

  content(path: string, offset: bigint, bytes: Uint8Array): void {
    this.#contents.push({ path, offset, bytes: bytes.slice() });
  }

  /** Ranges of addresses that no digest covers: what was read, and what the kernel writes. */
  #apart(): readonly (readonly [start: bigint, end: bigint])[] {
    const read = [...this.#memory.values()].map(
      ({ address, bytes }) => [address, address + BigInt(bytes.length)] as const,
    );
    const areas = [...this.threads.values()]
      .filter(({ rseq }) => rseq.address !== 0n)
      .map(({ rseq }) => [rseq.address, rseq.address + BigInt(rseq.size)] as const);
    return [...read, ...areas];
  }

  /** Notes pages, given how to read them. */
  pages(address: bigint, length: number, read: (address: bigint, length: number) => Uint8Array) {
    const apart = this.#apart();
    for (let done = 0; done < length; done += chunkSize) {
      const start = address + BigInt(done);
      const bytes = read(start, Math.min(chunkSize, length - done));
      for (let at = 0; at + pageSize <= bytes.length; at += pageSize) {
        const page = start + BigInt(at);
        const holes = holesIn(apart, page);
        this.#digests.set(page, pageDigest(bytes.subarray(at, at + pageSize), holes));
      }
    }
  }

  finish(system: System, [task]: Frozen['tasks']): RecordedFacts {
    if (task === undefined) throw new Error('facts of no task');
    const { pid, startTime, stopped, threads } = task;
    return {
      system,
      task: { pid, startTime, stopped, tids: threads.map(({ tid }) => tid) },
      ...{ read: plain(this.read), list: plain(this.list), link: plain(this.link) },
      ...{ stat: plain(this.stat), threads: plain(this.threads) },
      pendingShared: this.pendingShared,
      ...{ ask: plain(this.ask), probe: plain(this.probe), watches: plain(this.watches) },
      descriptions: this.descriptions.facts(),
      unshared: plain(this.unshared),
      ...{ pipes: plain(this.pipes), polls: plain(this.polls), holders: plain(this.holders) },
      holdings: plain(this.holdings),
      ...{ peers: plain(this.peers), extents: plain(this.extents) },
      handles: plain(this.handles),
      scans: [...this.#scans.values()],
      pages: digestRuns(this.#digests),
      memory: [...this.#memory.values()],
      contents: this.#contents,
      failures: plain(this.#failures),
      files: plain(this.files),
    };
  }
}

function holesIn(
  apart: readonly (readonly [start: bigint, end: bigint])[],
  page: bigint,
): readonly Hole[] {
  const end = page + BigInt(pageSize);
  return apart
    .filter((range) => range[0] < end && range[1] > page)
    .map((range) => ({
      start: range[0] < page ? 0 : Number(range[0] - page),
      end: range[1] > end ? pageSize : Number(range[1] - page),
    }));
}

/** Digests of pages that follow each other, together. */
function digestRuns(digests: ReadonlyMap<bigint, number>): RecordedFacts['pages'] {
  const sorted = [...digests].sort(([a], [b]) => (a < b ? -1 : 1));
  const runs: { address: bigint; words: number[] }[] = [];
  for (const [address, word] of sorted) {
    const last = runs.at(-1);
    const follows =
      last !== undefined && last.address + BigInt(last.words.length * pageSize) === address;
    if (follows) last.words.push(word);
    else runs.push({ address, words: [word] });
  }
  return runs.map(({ address, words }) => {
    const bytes = new Uint8Array(words.length * 4);
    const view = new DataView(bytes.buffer);
    for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
    return { address, digests: bytes };
  });
}
