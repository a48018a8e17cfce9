import type { CallStep, LoadStep, Value } from '@ckpt/engine';
import { decodeText } from '@ckpt/io';
import type { Planned } from './fake-scope.ts';

/** What a descriptor leads to after a plan has run. */
export interface Open {
  /** "/tmp/log", "pipe", "eventfd" ... */
  readonly what: string;
  flags: number;
  position: bigint;
  /** What was written, counted, set, watched: in order. */
  readonly done: string[];
  /** Of a pipe: shared by its ends. */
  readonly ring?: object;
}

interface Slot {
  readonly open: Open;
  closeOnExec: boolean;
}

const O_CLOEXEC = 0o2000000;
const statusMask = 0o2000 | 0o4000 | 0o40000 | 0o1000000;

/** The least that system calls of descriptors do: enough to see what a plan makes of a table. */
export class DescriptorMachine {
  readonly #table = new Map<number, Slot>();
  readonly #results = new Map<string, number>();
  readonly #rooms = new Map<string, number[]>();

  /** Runs the sections of a plan that concern descriptors. @throws Error as the kernel would fail. */
  run(plan: Planned): void {
    const numbered = plan.steps.map((step, at) => ({ step, id: plan.ids[at] ?? '' }));
    for (const section of ['wipe', 'descriptors', 'settle']) {
      for (const { step, id } of numbered) {
        if (step.section !== section) continue;
        if (step.op === 'load') this.#load(step as unknown as LoadStep);
        if (step.op === 'call') this.#results.set(id, this.#call(step as unknown as CallStep));
      }
    }
  }

  /** Descriptors by number. */
  get table(): ReadonlyMap<number, Readonly<Slot>> {
    return this.#table;
  }

  #load({ to, length, index }: LoadStep): void {
    if (!('fd' in to)) return;
    this.#at(this.#number(to.fd)).open.done.push(`load ${length} from ${index}`);
  }

  #number(value: Value | undefined): number {
    if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
    if (value !== undefined && 'result' in value) return this.#results.get(value.result) ?? NaN;
    if (value !== undefined && 'word' in value) {
      return this.#rooms.get(value.word)?.[value.index] ?? NaN;
    }
    return 0;
  }

  #at(fd: number): Slot {
    const slot = this.#table.get(fd);
    if (slot === undefined) throw new Error(`EBADF ${fd}`);
    return slot;
  }

  /** Puts something at the lowest free number. */
  #new(open: Partial<Open> & { readonly what: string }, flags = 0): number {
    let fd = 0;
    while (this.#table.has(fd)) fd++;
    const made = { flags: flags & ~O_CLOEXEC, position: 0n, done: [], ...open };
    this.#table.set(fd, { open: made, closeOnExec: (flags & O_CLOEXEC) !== 0 });
    return fd;
  }

  #text(value: Value | undefined): string {
    if (typeof value !== 'object' || !('blob' in value)) return '';
    return decodeText(value.blob);
  }

  #open(path: string, flags: number): number {
    const [, number] = /^\/proc\/self\/fd\/(\d+)$/.exec(path) ?? [];
    if (number === undefined) return this.#new({ what: path }, flags);
    const { open } = this.#at(Number(number));
    return this.#new({ what: open.what, ...(open.ring && { ring: open.ring }) }, flags);
  }

  #pair(call: string, room: Value | undefined, how: number): number {
    if (typeof room !== 'object' || !('room' in room)) throw new Error('EFAULT');
    const ring = {};
    const what = call === 'pipe2' ? 'pipe' : 'pair';
    const second = call === 'pipe2' ? 1 : 2;
    const ends = [this.#new({ what, ring, flags: call === 'pipe2' ? 0 : 2 }, how)];
    ends.push(this.#new({ what, ring, flags: second }, how));
    this.#rooms.set(room.room, ends);
    return 0;
  }

  #fcntl(fd: number, command: number, value: number): number {
    const slot = this.#at(fd);
    const { open } = slot;
    if (command === 2) slot.closeOnExec = value === 1;
    else if (command === 4) open.flags = (open.flags & ~statusMask) | (value & statusMask);
    else open.done.push(`fcntl ${command} ${value}`);
    return command === 1031 ? value : 0;
  }

  #call({ call, args, expect }: CallStep): number {
    const result = this.#do(call, args);
    if (expect !== undefined && Number(expect) !== result) {
      throw new Error(`${call} gave ${result}, not ${expect}`);
    }
    return result;
  }

  #do(call: string, args: readonly Value[]): number {
    const [a = 0, b = 0, c = 0] = args.map((value) => this.#number(value));
    switch (call) {
      case 'openat':
        return this.#open(this.#text(args[1]), c);
      case 'dup3': {
        if (a === b) throw new Error('EINVAL');
        this.#table.set(b, { open: this.#at(a).open, closeOnExec: (c & O_CLOEXEC) !== 0 });
        return b;
      }
      case 'close':
        this.#at(a);
        this.#table.delete(a);
        return 0;
      case 'fcntl':
        return this.#fcntl(a, b, c);
      case 'lseek':
        this.#at(a).open.position = BigInt(b);
        return b;
      case 'pipe2':
        return this.#pair(call, args[0], b);
      case 'socketpair':
        return this.#pair(call, args[3], b);
      case 'eventfd2':
      case 'epoll_create1':
      case 'timerfd_create':
      case 'signalfd4':
      case 'socket':
        return this.#new({ what: `${call} ${args.map((v) => this.#show(v)).join(' ')}`, flags: 2 });
      case 'write':
        this.#at(a).open.done.push(`write ${this.#show(args[1])}`);
        return c;
      default:
        if (typeof args[0] !== 'object' || !('blob' in args[0])) {
          this.#at(a).open.done.push(
            `${call} ${args
              .slice(1)
              .map((v) => this.#show(v))
              .join(' ')}`,
          );
        }
        return 0;
    }
  }

  #show(value: Value | undefined): string {
    if (typeof value === 'object' && 'blob' in value) return `<${[...value.blob].join(',')}>`;
    return String(this.#number(value));
  }
}
