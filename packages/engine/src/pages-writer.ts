import { CkptError } from '@ckpt/format';
import { ckptKwrite } from '@ckpt/io';
import type { Frozen, MemoryRun, Task } from './frozen.ts';
import type { StoredRun } from './store.ts';
import type { OutputStream } from './unfinished.ts';

/** Bytes copied at a time: what a deadline waits for at most. */
const pieceMax = 4 << 20;

/** Bytes of files that are read at a time. */
const partMax = 1 << 18;

/** Bytes of pages, all from one place. */
interface Piece {
  readonly run: StoredRun;
  /** Bytes from the start of the run, and how many. */
  readonly offset: number;
  readonly length: number;
}

/** What of the store lies in [first, first + count), cut where `lengthMax` bytes are reached. */
function* piecesOf(
  runs: readonly StoredRun[],
  start: number,
  { first, count }: { readonly first: number; readonly count: number },
  pageSize: number,
): Generator<Piece, void, undefined> {
  for (let at = start; at < runs.length; at++) {
    const run = runs[at];
    if (run === undefined || run.first >= first + count) return;
    const from = Math.max(run.first, first);
    const to = Math.min(run.first + run.pages, first + count);
    const end = (to - run.first) * pageSize;
    for (let offset = (from - run.first) * pageSize; offset < end; offset += pieceMax) {
      yield { run, offset, length: Math.min(pieceMax, end - offset) };
    }
  }
}

/** Copies stored pages to an image. */
export class PagesWriter {
  readonly #frozen: Frozen;
  readonly #stream: OutputStream;
  readonly #runs: readonly StoredRun[];
  readonly #pageSize: number;
  /** Runs before this one are written. */
  #start = 0;
  /** Small ranges of one task, which a host may copy all at once. */
  #waiting: { readonly task: Task; readonly ranges: MemoryRun[]; length: number } | undefined;
  /** Looks at the clock. */
  readonly #tick: () => void;

  constructor(
    frozen: Frozen,
    stream: OutputStream,
    store: { readonly runs: readonly StoredRun[] },
    pageSize: number,
    tick: () => void,
  ) {
    this.#frozen = frozen;
    this.#stream = stream;
    this.#runs = store.runs;
    this.#pageSize = pageSize;
    this.#tick = tick;
  }

  /** Writes the payload of one PAGES record. @throws CkptError as the host, as write(2), ETIMEDOUT. */
  write(chunk: { readonly first: number; readonly count: number }): void {
    for (;;) {
      const run = this.#runs[this.#start];
      if (run === undefined || run.first + run.pages > chunk.first) break;
      this.#start += 1;
    }
    for (const piece of piecesOf(this.#runs, this.#start, chunk, this.#pageSize))
      this.#piece(piece);
    this.#flush();
  }

  #piece({ run: { source }, offset, length }: Piece): void {
    if ('memory' in source) {
      this.#memory(source.task, { address: source.memory + BigInt(offset), length });
      return;
    }
    this.#flush();
    if ('bytes' in source) {
      this.#padded(source.bytes.subarray(offset, offset + length), length);
      return;
    }
    // Each part takes memory of its own, which is only given back some parts later.
    for (let done = 0; done < length; done += partMax) {
      const part = Math.min(partMax, length - done);
      const left = Math.max(0, Math.min(part, source.size - offset - done));
      const at = source.offset + BigInt(offset + done);
      this.#padded(left === 0 ? new Uint8Array(0) : this.#contents(source, at, left), part);
    }
  }

  #contents(
    source: { readonly contents: string; readonly task: Task },
    at: bigint,
    length: number,
  ) {
    const bytes = this.#frozen.contents(source.task, source.contents, at, length);
    if (bytes.length <= length) return bytes;
    throw new CkptError(
      'EIO',
      `${bytes.length} bytes of ${source.contents}, ${length} were asked for`,
    );
  }

  /** Bytes, then zeros up to `length`. */
  #padded(bytes: Uint8Array, length: number): void {
    this.#tick();
    ckptKwrite(this.#stream, bytes);
    if (bytes.length < length) ckptKwrite(this.#stream, new Uint8Array(length - bytes.length));
  }

  #memory(task: Task, range: MemoryRun): void {
    const waiting = this.#waiting;
    if (waiting?.task === task && waiting.length + range.length <= pieceMax) {
      const last = waiting.ranges.at(-1);
      if (last !== undefined && last.address + BigInt(last.length) === range.address) {
        waiting.ranges.pop();
        waiting.ranges.push({ address: last.address, length: last.length + range.length });
      } else {
        waiting.ranges.push(range);
      }
      waiting.length += range.length;
      return;
    }
    this.#flush();
    this.#waiting = { task, ranges: [range], length: range.length };
  }

  /** Copies the ranges that were gathered. */
  #flush(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    this.#tick();
    const { task, ranges, length } = waiting;
    const { file } = this.#stream;
    const before = file.length;
    if (this.#frozen.copyRuns !== undefined) this.#frozen.copyRuns(task, ranges, file);
    else for (const range of ranges) this.#frozen.copy(task, range.address, range.length, file);
    const moved = file.length - before;
    // A host that hands the descriptor to the kernel may not have said so.
    if (moved === 0) file.moved(length);
    else if (moved !== length) {
      throw new CkptError('EIO', `${moved} of ${length} bytes of memory were copied`);
    }
    this.#stream.total += length;
  }
}
