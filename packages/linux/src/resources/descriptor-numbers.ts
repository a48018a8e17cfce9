import type { RestoreScope, Value } from '@ckpt/engine';

/** open(2) of x86-64; memfd_create(2) */
const O_CLOEXEC = 0o2000000;
const MFD_CLOEXEC = 1;
/** fcntl(2) */
const F_DUPFD_CLOEXEC = 1030;

/** Calls that open descriptors, and which of their arguments says whether those end at exec. */
const openers: Readonly<Record<string, { readonly flags?: number; readonly bit?: number }>> = {
  openat: { flags: 2 },
  socket: { flags: 1 },
  accept4: { flags: 3 },
  eventfd2: { flags: 1 },
  epoll_create1: { flags: 0 },
  timerfd_create: { flags: 1 },
  signalfd4: { flags: 3 },
  inotify_init1: { flags: 0 },
  memfd_create: { flags: 1, bit: MFD_CLOEXEC },
  dup: {},
};

/** Calls that open two, and where they put their numbers. */
const pairs: Readonly<Record<string, { readonly room: number; readonly flags: number }>> = {
  pipe2: { room: 0, flags: 1 },
  socketpair: { room: 3, flags: 1 },
};

/** Calls that open and close nothing. */
const others = new Set([
  ...['fcntl', 'fstat', 'lseek', 'write', 'ioctl', 'ftruncate', 'fchown', 'fchmod', 'unlink'],
  ...['bind', 'connect', 'listen', 'shutdown', 'chmod', 'chown', 'link'],
  ...['setsockopt', 'getsockname', 'sendto', 'sendmsg'],
]);

/** How a number is used while a table is made. */
interface Use {
  readonly closeOnExec: boolean;
}

type Call = RestoreScope['call'];

/**
 * Which numbers the calls of a plan give to what they open: always the lowest that is free, where
 * none was open before. From the first call on whose effect is not known, nothing is.
 */
export class Numbers {
  readonly #open = new Map<number, Use>();
  readonly #results = new Map<string, number>();
  #lowest = 0;
  #areKnown = true;

  /** The number behind a value; undefined where it cannot be known. */
  of(value: Value): number | undefined {
    if (typeof value !== 'object') return Number(value);
    if ('result' in value) return this.#areKnown ? this.#results.get(value.result) : undefined;
    if (!('word' in value) || !this.#areKnown) return undefined;
    return this.#results.get(`${value.word}[${value.index}]`);
  }

  /** True for what ends at exec; undefined for what is not known to be open. */
  endsAtExec(fd: number): boolean | undefined {
    return this.#areKnown ? this.#open.get(fd)?.closeOnExec : undefined;
  }

  /** Follows the calls of a section. */
  follow(scope: RestoreScope): RestoreScope {
    const call: Call = (section, from, name, args, options = {}) => {
      if (section !== 'descriptors') return scope.call(section, from, name, args, options);
      const expect = this.#next(name, args, options.failure === 'warn');
      const { result } = scope.call(section, from, name, args, {
        ...options,
        ...(expect === undefined || options.expect !== undefined ? {} : { expect }),
      });
      if (expect !== undefined) this.#results.set(result, expect);
      return { result };
    };
    const followed = { ...scope, call };
    numbersOf.set(followed, this);
    return followed;
  }

  /** What a call does to the table; returns the number that it opens, where that is known. */
  #next(name: string, args: readonly Value[], mayFail: boolean): number | undefined {
    const opener = openers[name];
    const pair = pairs[name];
    if (others.has(name) && !(name === 'fcntl' && args[1] === F_DUPFD_CLOEXEC)) return undefined;
    if (mayFail || !this.#areKnown) {
      this.#areKnown = false;
      return undefined;
    }
    if (name === 'fcntl') return this.#take(true);
    if (opener !== undefined) {
      const { flags, bit = O_CLOEXEC } = opener;
      return this.#take(flags !== undefined && (Number(args[flags]) & bit) !== 0);
    }
    if (pair !== undefined) {
      this.#takePair(args[pair.room], Number(args[pair.flags]));
      return undefined;
    }
    const [fd, to, how] = args.map((value) => this.of(value));
    if (name === 'close' && fd !== undefined) this.#close(fd);
    else if (name === 'dup3' && to !== undefined) {
      this.#open.set(to, { closeOnExec: (Number(how) & O_CLOEXEC) !== 0 });
    } else this.#areKnown = false;
    return undefined;
  }

  #take(closeOnExec: boolean): number {
    while (this.#open.has(this.#lowest)) this.#lowest += 1;
    this.#open.set(this.#lowest, { closeOnExec });
    return this.#lowest;
  }

  #takePair(room: Value | undefined, flags: number): void {
    const closeOnExec = (flags & O_CLOEXEC) !== 0;
    const name = typeof room === 'object' && 'room' in room ? room.room : '';
    for (const index of [0, 1]) this.#results.set(`${name}[${index}]`, this.#take(closeOnExec));
  }

  #close(fd: number): void {
    this.#open.delete(fd);
    this.#lowest = Math.min(this.#lowest, fd);
  }
}

const numbersOf = new WeakMap<RestoreScope, Numbers>();

/** The number that a call of a plan gives to what it opens, where that can be known. */
export function numberOf(scope: RestoreScope, value: Value): number | undefined {
  return numbersOf.get(scope)?.of(value);
}
