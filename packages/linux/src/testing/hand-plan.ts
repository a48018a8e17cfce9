import type { CallStep, PageReader, Plan, ResumeStep, Step, Value } from '@ckpt/engine';
import { existsSync, readFileSync, readSync } from 'node:fs';
import { ptraceOptions, Tracer } from '../host/ptrace.ts';
import { registersSize, withRegisters, type RegisterName } from '../host/registers.ts';
import { spawnStub } from '../host/run-stub.ts';
import { syscall } from '../host/syscall.ts';

export const pageSize = 4096;
export const codeAddress = 0x40_0000n;
export const dataAddress = 0x50_0000n;
export const hole = { address: 0x1000_0000n, length: 4 << 20 } as const;

/** sys/mman.h */
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE_FIXED_ANONYMOUS = 0x32;
/** fcntl.h */
const O_WRONLY_CREAT_APPEND = 0o1 | 0o100 | 0o2000;
const AT_FDCWD = -100;

/** A pid that nobody has; those that the kernel gives next are seldom so high. */
export function freePid(): number {
  const pidMax = Number(readFileSync('/proc/sys/kernel/pid_max', 'latin1'));
  for (;;) {
    const pid = Math.floor(pidMax * (0.5 + Math.random() / 2.1));
    if (!existsSync(`/proc/${pid}`)) return pid;
  }
}

let fresh: Uint8Array | undefined;

/** The xstate of a program that has used nothing yet; its size depends on the processor. */
export function freshXstate(): Uint8Array {
  if (fresh === undefined) {
    const tracer = new Tracer();
    const pid = spawnStub(hole.address, []);
    tracer.seize(pid, ptraceOptions.EXITKILL);
    tracer.interrupt(pid);
    tracer.wait(pid);
    fresh = tracer.getXstate(pid);
    syscall('kill', pid, 9);
    tracer.wait(pid);
  }
  return fresh.slice();
}

/** Registers of a thread that begins at an address, in no system call. */
export function registersAt(
  rip: bigint,
  more: Readonly<Partial<Record<RegisterName, bigint | number>>> = {},
): Uint8Array {
  const plain = { rip, cs: 0x33, ss: 0x2b, eflags: 0x202, orig_rax: -1 };
  return withRegisters(new Uint8Array(registersSize), { ...plain, ...more });
}

/** A plan written by hand, and the stored pages that it loads. */
export class HandPlan {
  readonly steps: Step[] = [];
  readonly #resumes: ResumeStep[] = [];
  readonly #threads: number[];
  readonly #pages: Uint8Array[] = [];
  readonly pid: number;

  constructor(pid: number) {
    this.pid = pid;
    this.#threads = [pid];
    this.add({ op: 'spawn', kind: 'process', pid });
    this.add({ op: 'wipe', hole });
  }

  /** Adds a step with an id and an origin, on the leader if nothing else is said. */
  add(step: Record<string, unknown> & { readonly op: Step['op'] }): string {
    const id = `${step.op} ${this.steps.length}`;
    const from = { position: 0x1000 + this.steps.length, path: 'test' };
    this.steps.push({ id, on: this.pid, from, ...step } as unknown as Step);
    return id;
  }

  call(
    name: string,
    args: readonly Value[],
    more: Partial<Pick<CallStep, 'on' | 'expect' | 'expectRoom' | 'failure' | 'what'>> = {},
  ): { readonly result: string } {
    const what = `calling ${name}`;
    return { result: this.add({ op: 'call', call: name, args, failure: 'fatal', what, ...more }) };
  }

  /** Maps memory that can be filled. */
  map(address: bigint, length: number): void {
    const args = [address, length, PROT_READ | PROT_WRITE, MAP_PRIVATE_FIXED_ANONYMOUS, -1, 0];
    this.call('mmap', args, { expect: address });
  }

  /** Adds pages to the store; returns the index of the first. */
  store(bytes: Uint8Array): number {
    const index = this.#pages.length;
    for (let start = 0; start < bytes.length; start += pageSize) {
      const page = new Uint8Array(pageSize);
      page.set(bytes.subarray(start, start + pageSize));
      this.#pages.push(page);
    }
    return index;
  }

  load(address: bigint, bytes: Uint8Array): void {
    const length = Math.ceil(bytes.length / pageSize) * pageSize;
    this.add({ op: 'load', to: { address }, length, index: this.store(bytes) });
  }

  /** A program of one page, in hexadecimal. */
  code(hex: string): void {
    this.map(codeAddress, pageSize);
    this.load(codeAddress, Buffer.from(hex, 'hex'));
    this.call('mprotect', [codeAddress, pageSize, PROT_READ | PROT_EXEC]);
  }

  /** The same without stored pages. */
  codeWithoutStore(hex: string): void {
    const blob = Buffer.from(hex, 'hex');
    this.map(codeAddress, pageSize);
    const fd = this.call('memfd_create', [{ blob: Buffer.from('code\0') }, 0]);
    this.call('pwrite64', [fd, { blob }, blob.length, 0], { expect: blob.length });
    this.call('pread64', [fd, codeAddress, blob.length, 0], { expect: blob.length });
    this.call('close', [fd]);
    this.call('mprotect', [codeAddress, pageSize, PROT_READ | PROT_EXEC]);
  }

  /** Leads a descriptor to a file. */
  output(path: string, fd = 1): void {
    const blob = Buffer.from(`${path}\0`);
    const opened = this.call('openat', [AT_FDCWD, { blob }, O_WRONLY_CREAT_APPEND, 0o600]);
    this.call('dup2', [opened, fd], { expect: fd });
    this.call('close', [opened]);
  }

  thread(tid: number): void {
    this.add({ op: 'spawn', kind: 'thread', pid: tid });
    this.#threads.push(tid);
  }

  resume(
    state: Partial<Omit<ResumeStep, 'op' | 'id' | 'from'>> & { readonly registers: Uint8Array },
  ) {
    const none = { words: [], pending: [], pendingShared: [], stopped: false };
    this.#resumes.push({
      ...{ op: 'resume', id: `resume ${this.#resumes.length}`, on: this.pid },
      ...{ from: { position: 0x9000, path: 'test/resume' }, signalMask: 0n },
      xstate: freshXstate(),
      ...none,
      ...state,
    });
  }

  plan(): Plan {
    const meet = { op: 'meet', id: 'meet', on: this.pid, barrier: 'ready' } as const;
    const from = { position: 0x8000, path: 'test/meet' };
    return {
      pid: this.pid,
      steps: [...this.steps, { ...meet, from, parties: this.#threads }, ...this.#resumes],
      store: { pages: this.#pages.length, pageSize },
      notes: [],
    };
  }

  /** The store as an image: records of at most `perRecord` pages, each behind a header of 16 bytes. */
  image(perRecord = 4): Uint8Array {
    const header = new Uint8Array(16);
    const parts = this.#pages.flatMap((page, i) => (i % perRecord === 0 ? [header, page] : [page]));
    return Buffer.concat(parts);
  }

  pages(perRecord = 4): TestPages {
    return new TestPages(this.image(perRecord), this.#pages.length, perRecord);
  }

  /** Pages read from a descriptor that stands at the start of {@link image}. */
  pagesOf(fd: number, perRecord = 4): TestPages {
    return new TestPages(fd, this.#pages.length, perRecord);
  }
}

/** Reads what {@link HandPlan.image} makes. */
export class TestPages implements PageReader {
  readonly #source: Uint8Array | number;
  readonly #count: number;
  readonly #perRecord: number;
  #offset = 0;
  index = 0;
  #open = 0;
  finished = false;

  constructor(source: Uint8Array | number, count: number, perRecord: number) {
    this.#source = source;
    this.#count = count;
    this.#perRecord = perRecord;
  }

  get position(): number {
    return this.#offset;
  }

  #take(into: Uint8Array): void {
    if (typeof this.#source !== 'number') {
      into.set(this.#source.subarray(this.#offset, this.#offset + into.length));
    } else {
      for (let done = 0; done < into.length;) {
        const part = readSync(this.#source, into, done, into.length - done, null);
        if (part === 0) throw new Error('the test image is too short');
        done += part;
      }
    }
    this.#offset += into.length;
  }

  ready(): number {
    if (this.#open === 0 && this.index < this.#count) {
      this.#take(new Uint8Array(16));
      this.#open = Math.min(this.#perRecord, this.#count - this.index);
    }
    return this.#open;
  }

  read(into: Uint8Array): void {
    for (let done = 0; done < into.length;) {
      const length = Math.min(this.ready() * pageSize, into.length - done);
      this.#take(into.subarray(done, done + length));
      this.#pass(length / pageSize);
      done += length;
    }
  }

  taken(pages: number): void {
    if (pages > this.#open) throw new Error(`${pages} of ${this.#open} pages taken`);
    this.#offset += pages * pageSize;
    this.#pass(pages);
  }

  #pass(pages: number): void {
    this.#open -= pages;
    this.index += pages;
  }

  skip(pages: number): void {
    this.read(new Uint8Array(pages * pageSize));
  }

  finish(): void {
    this.skip(this.#count - this.index);
    this.finished = true;
  }
}
