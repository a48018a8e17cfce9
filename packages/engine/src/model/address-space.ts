import { refuse } from './refuse.ts';
import { overlaps, Ranges, type Range } from './ranges.ts';
import { isPrivate, objectPage, slice, type Vma } from './vma.ts';

export const pageSize = 4096n;

/** End of user space with four levels of page tables (asm/page_64_types.h, TASK_SIZE_MAX). */
export const addressMax = 0x7fff_ffff_f000n;

const pageOf = (address: bigint): bigint => address - (address % pageSize);

/** Mappings of a process by ascending address, and the pages that belong to them alone. */
export class AddressSpace {
  #vmas: Vma[] = [];
  /** Changed pages of private mappings, by address. */
  readonly #own = new Map<bigint, Uint8Array>();
  readonly #guards = new Ranges();
  /** Flags of proc_pid_smaps(5) that mappings to come get: mlockall(2). */
  locksFuture: readonly string[] = [];

  get vmas(): readonly Vma[] {
    return this.#vmas;
  }

  /** Index of the first mapping that ends above an address. */
  #indexAt(address: bigint): number {
    let [low, high] = [0, this.#vmas.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#vmas[middle]?.end ?? 0n) > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  at(address: bigint): Vma | undefined {
    const vma = this.#vmas[this.#indexAt(address)];
    return vma !== undefined && vma.start <= address ? vma : undefined;
  }

  /** Mappings, of which some part lies in a range. */
  within({ start, end }: Range): readonly Vma[] {
    const found: Vma[] = [];
    for (let index = this.#indexAt(start); index < this.#vmas.length; index++) {
      const vma = this.#vmas[index];
      if (vma === undefined || vma.start >= end) break;
      found.push(vma);
    }
    return found;
  }

  /** True when there is no hole in a range. */
  covers(range: Range): boolean {
    let at = range.start;
    for (const { start, end } of this.within(range)) {
      if (start > at) return false;
      at = end;
    }
    return at >= range.end;
  }

  /** Puts a mapping where nothing is. */
  insert(vma: Vma): void {
    this.#vmas.splice(this.#indexAt(vma.start), 0, vma);
  }

  /** Cuts mappings at the ends of a range, and replaces those inside. */
  #replace(range: Range, make: (vma: Vma) => readonly Vma[]): void {
    const first = this.#indexAt(range.start);
    const inside = this.within(range);
    const parts = inside.flatMap((vma) => [
      ...(vma.start < range.start ? [slice(vma, vma.start, range.start)] : []),
      ...make(slice(vma, range.start, range.end)),
      ...(vma.end > range.end ? [slice(vma, range.end, vma.end)] : []),
    ]);
    this.#vmas.splice(first, inside.length, ...parts);
  }

  /** Changes what mappings are, in a range alone. */
  update(range: Range, change: (vma: Vma) => Vma): void {
    this.#replace(range, (vma) => [change(vma)]);
  }

  /** Takes away what is in a range. @throws CkptError EPERM for what is sealed (mseal(2)). */
  unmap(range: Range): void {
    if (this.within(range).some(({ flags }) => flags.has('sl'))) refuse('EPERM', 'it is sealed');
    this.#replace(range, () => []);
    this.discard(range);
  }

  /** Forgets the content of private pages, and guards. */
  discard(range: Range): void {
    const pages = (range.end - range.start) / pageSize;
    if (pages < BigInt(this.#own.size)) {
      for (let page = range.start; page < range.end; page += pageSize) this.#own.delete(page);
    } else {
      for (const page of this.#own.keys()) {
        if (page >= range.start && page < range.end) this.#own.delete(page);
      }
    }
    this.#guards.remove(range);
  }

  guard(range: Range): void {
    this.discard(range);
    this.#guards.add(range);
  }

  /** Guard pages in a range. */
  guards(range: Range): readonly Range[] {
    return this.#guards.within(range);
  }

  /** The highest free place of some bytes, as mmap(2) without a hint takes it. */
  free(length: bigint, taken?: Range): bigint | undefined {
    const occupied: Range[] = [...this.#vmas, ...(taken === undefined ? [] : [taken])];
    occupied.sort((a, b) => (a.start < b.start ? 1 : -1));
    let top = addressMax;
    for (const { start, end } of occupied) {
      if (end + length <= top) return top - length;
      if (start < top) top = start;
    }
    return top >= length + 0x1_0000n ? top - length : undefined;
  }

  /** Addresses of private pages in a range, ascending. */
  ownPages(range: Range): readonly bigint[] {
    return [...this.#own.keys()]
      .filter((page) => page >= range.start && page < range.end)
      .sort((a, b) => (a < b ? -1 : 1));
  }

  #guarded(page: bigint): boolean {
    return this.#guards.all.some((range) => overlaps(range, { start: page, end: page + 1n }));
  }

  /** Bytes within one page as the process sees them. @throws CkptError EFAULT where it would fault. */
  #part(address: bigint, length: number): Uint8Array {
    const page = pageOf(address);
    const vma = this.at(page);
    if (vma === undefined || this.#guarded(page))
      return refuse('EFAULT', 'nothing is mapped there');
    const own = this.#own.get(page);
    const start = Number(address - page);
    if (own !== undefined) return own.slice(start, start + length);
    const { backing } = vma;
    if (backing.kind !== 'object') return new Uint8Array(length);
    return backing.object.read(backing.offset + address - vma.start, length);
  }

  /** Puts a whole page there, whatever the protection is: copy on write where it is private. */
  setPage(page: bigint, bytes: Uint8Array): void {
    const vma = this.at(page);
    if (vma === undefined || this.#guarded(page)) refuse('EFAULT', 'nothing is mapped there');
    const { backing } = vma;
    if (isPrivate(vma)) this.#own.set(page, bytes);
    else if (backing.kind === 'object') {
      backing.object.store(objectPage(vma, backing.offset, page), bytes);
    } else refuse('EFAULT', 'it belongs to the kernel');
  }

  /** Bytes, whatever the protection is, as ptrace(2) reads them. @throws CkptError EFAULT */
  read(address: bigint, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const at = address + BigInt(done);
      const left = Number(pageOf(at) + pageSize - at);
      const part = this.#part(at, Math.min(left, length - done));
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  /** Writes, whatever the protection is. @throws CkptError EFAULT */
  write(address: bigint, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const at = address + BigInt(done);
      const start = Number(at - pageOf(at));
      const length = Math.min(Number(pageSize) - start, bytes.length - done);
      const whole = length === Number(pageSize);
      const page = whole ? new Uint8Array(length) : this.#part(pageOf(at), Number(pageSize));
      page.set(bytes.subarray(done, done + length), start);
      this.setPage(pageOf(at), page);
      done += length;
    }
  }

  /** True when all of a range has a flag, as a system call needs it: "rd", "wr". */
  allows(range: Range, flag: string): boolean {
    return this.covers(range) && this.within(range).every(({ flags }) => flags.has(flag));
  }
}
