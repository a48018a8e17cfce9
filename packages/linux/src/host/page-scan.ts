import { CkptError } from '@ckpt/format';
import type { PageRun } from '@ckpt/engine';
import { address, failure, stableBytes, syscall, trySyscall } from './syscall.ts';

/** PAGEMAP_SCAN and its categories (linux/fs.h, Documentation/admin-guide/mm/pagemap.rst). */
const PAGEMAP_SCAN = 0xc0606610;
const PAGE_IS_FILE = 1 << 2;
const PAGE_IS_PRESENT = 1 << 3;
const PAGE_IS_SWAPPED = 1 << 4;
const PAGE_IS_PFNZERO = 1 << 5;
const PAGE_IS_GUARD = 1 << 8;

/** struct pm_scan_arg, and struct page_region { start, end, categories }. */
const argumentSize = 96;
const regionSize = 24;
const regionCount = 4096;

const EINVAL = -22;
const ENOTTY = -25;

type Source = PageRun['source'];

/** Builds runs, and joins those that touch. */
class PageRuns {
  readonly #pageSize: bigint;
  readonly #runs: PageRun[] = [];
  #start = 0n;
  #end = 0n;
  #source: Source | undefined;

  constructor(pageSize: number) {
    this.#pageSize = BigInt(pageSize);
  }

  add(start: bigint, end: bigint, source: Source): void {
    if (source === this.#source && start === this.#end) {
      this.#end = end;
      return;
    }
    this.#flush();
    this.#start = start;
    this.#end = end;
    this.#source = source;
  }

  finish(): PageRun[] {
    this.#flush();
    return this.#runs;
  }

  #flush(): void {
    if (this.#source === undefined) return;
    const pages = Number((this.#end - this.#start) / this.#pageSize);
    this.#runs.push({ address: this.#start, pages, source: this.#source });
    this.#source = undefined;
  }
}

function sourceOf(categories: number): Source {
  if (categories & PAGE_IS_GUARD) return 'guard';
  if (categories & PAGE_IS_SWAPPED) return 'store';
  if (categories & PAGE_IS_PFNZERO) return 'zero';
  return categories & PAGE_IS_FILE ? 'file' : 'store';
}

const argument = stableBytes(argumentSize);
let regions: Buffer | undefined;
/** What the running kernel answers to; guard pages came later than the scan. */
let wanted = PAGE_IS_FILE | PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_PFNZERO | PAGE_IS_GUARD;

/** Scans once; returns the number of regions, undefined when the kernel has no PAGEMAP_SCAN. */
function scan(fd: number, start: bigint, end: bigint, into: Buffer): number | undefined {
  const words = [argumentSize, 0, start, end, 0, address(into), regionCount, 0, 0, 0];
  for (const [i, word] of words.entries()) argument.writeBigUInt64LE(BigInt(word), i * 8);
  argument.writeBigUInt64LE(BigInt(PAGE_IS_PRESENT | PAGE_IS_SWAPPED), 80);
  argument.writeBigUInt64LE(BigInt(wanted), 88);
  const count = trySyscall('ioctl', fd, PAGEMAP_SCAN, address(argument));
  if (count === EINVAL && wanted & PAGE_IS_GUARD) {
    wanted &= ~PAGE_IS_GUARD;
    return scan(fd, start, end, into);
  }
  if (count === ENOTTY || count === EINVAL) return undefined;
  if (count < 0) throw failure(-count, `scanning pages at 0x${start.toString(16)}`);
  return count;
}

/** Runs of pages in [start, end), from the kernel's own ranges (Linux 6.7); undefined without. */
export function scanPages(
  fd: number,
  start: bigint,
  end: bigint,
  pageSize: number,
): PageRun[] | undefined {
  const into = (regions ??= stableBytes(regionSize * regionCount));
  const runs = new PageRuns(pageSize);
  for (let from = start; from < end;) {
    const count = scan(fd, from, end, into);
    if (count === undefined) return undefined;
    let told = from;
    for (let at = 0; at < count * regionSize; at += regionSize) {
      const source = sourceOf(into.readUInt32LE(at + 16));
      told = into.readBigUInt64LE(at + 8);
      runs.add(into.readBigUInt64LE(at), told, source);
    }
    // walk_end stays where the kernel's own buffer of 512 regions was last full, though the walk
    // went on from there to the end (fs/proc/task_mmu.c): what was told is not asked for again.
    const walkEnd = argument.readBigUInt64LE(32);
    const walked = walkEnd > told ? walkEnd : told;
    if (walked <= from) throw new CkptError('EIO', 'the page scan does not go on');
    from = walked;
  }
  return runs.finish();
}

/** Entries of /proc/PID/pagemap read at once. */
const entriesMax = 1 << 15;

/** Bits of the upper half of an entry. */
const PRESENT = 1 << 31;
const SWAPPED = 1 << 30;
const FILE = 1 << 29;
const GUARD = 1 << 26;

/** The same from /proc/PID/pagemap, page by page; zero pages cannot be told there. */
export function readPages(fd: number, start: bigint, end: bigint, pageSize: number): PageRun[] {
  const step = BigInt(pageSize);
  const runs = new PageRuns(pageSize);
  const entries = new Uint32Array(entriesMax * 2);
  const bytes = new Uint8Array(entries.buffer);
  for (let from = start; from < end;) {
    const rest = Number((end - from) / step);
    const length = Math.min(rest, entriesMax) * 8;
    const got = syscall('pread64', fd, address(bytes), length, (from / step) * 8n);
    if (got === 0) break;
    for (let i = 0; i < got / 8; i++, from += step) {
      const high = entries[i * 2 + 1] ?? 0;
      if ((high & (PRESENT | SWAPPED | GUARD)) === 0) continue;
      const isFile = (high & FILE) !== 0 && (high & SWAPPED) === 0;
      runs.add(from, from + step, high & GUARD ? 'guard' : isFile ? 'file' : 'store');
    }
  }
  return runs.finish();
}
