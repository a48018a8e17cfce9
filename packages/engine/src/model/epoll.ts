import type { FileStat } from '../file-stat.ts';
import { anonymousInode, anonymousStat } from './eventfd.ts';
import type { FileObject, OpenFile } from './open-file.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { SystemCalls } from './system-call.ts';

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
/** sys/epoll.h: told by the kernel whether asked for or not. */
const always = 0x8 | 0x10;
const EPOLLEXCLUSIVE = 0x1000_0000;
const EPOLLONESHOT = 0x4000_0000;
/** How a file is watched, not for what. */
const howMask = 0xf000_0000;
/** Epolls that watch each other, one within the other (EP_MAX_NESTS). */
const nestsMax = 4;

interface Item {
  readonly fd: number;
  readonly file: OpenFile;
  readonly events: number;
  readonly data: bigint;
}

/** An interest list of epoll(7). Items are known by descriptor number and description. */
export class EpollFile implements FileObject {
  #items: readonly Item[] = [];

  get items(): readonly Item[] {
    return this.#items;
  }

  link(): string {
    return 'anon_inode:[eventpoll]';
  }

  stat(): FileStat {
    return anonymousStat(anonymousInode);
  }

  lines(): string {
    const text = ({ fd, file, events, data }: Item): string => {
      const number = String(fd).padStart(8);
      const { ino, dev } = file.object.stat();
      const what = `${events.toString(16).padStart(8)} data: ${data.toString(16).padStart(16)}`;
      const where = `pos:${file.position.toString()} ino:${ino.toString(16)} sdev:${dev.toString(16)}`;
      return `tfd: ${number} events: ${what}  ${where}\n`;
    };
    // The kernel keeps them in a tree by the address of the description, then by number.
    const sorted = [...this.#items].sort((a, b) => a.file.id - b.file.id || a.fd - b.fd);
    return sorted.map(text).join('');
  }

  poll(): number {
    return this.#items.some(({ file, events }) => ((file.object.poll?.(file) ?? 0) & events) !== 0)
      ? 1
      : 0;
  }

  #depth(seen: readonly EpollFile[] = []): number {
    if (seen.includes(this)) refuse('ELOOP', 'epolls in a circle');
    const inner = this.#items.map(({ file: { object } }) =>
      object instanceof EpollFile ? object.#depth([...seen, this]) : 0,
    );
    return 1 + Math.max(0, ...inner);
  }

  /** True for the item of that number, if it watches the description. */
  watches(fd: number, file: OpenFile, index: number): boolean {
    const items = [...this.#items].sort((a, b) => a.file.id - b.file.id);
    return items.filter((item) => item.fd === fd)[index]?.file === file;
  }

  control(operation: number, item: Item): void {
    const { fd, file } = item;
    const known = this.#items.find((each) => each.fd === fd && each.file === file);
    const others = this.#items.filter((each) => each !== known);
    switch (operation) {
      case EPOLL_CTL_ADD:
        if (known !== undefined) refuse('EEXIST', `descriptor ${fd} is watched already`);
        this.#items = [...others, item];
        this.#checkNests(others);
        file.watchers.add(this);
        break;
      case EPOLL_CTL_MOD:
        if (known === undefined) refuse('ENOENT', `descriptor ${fd} is not watched`);
        if ((known.events & EPOLLEXCLUSIVE) !== 0) refuse('EINVAL', 'an exclusive item');
        this.#items = [...others, item];
        break;
      case EPOLL_CTL_DEL:
        if (known === undefined) refuse('ENOENT', `descriptor ${fd} is not watched`);
        this.#items = others;
        break;
      default:
        refuse('EINVAL', `operation ${operation}`);
    }
  }

  /** Tells of one item that is ready, and turns it off if that was to be once. */
  take(): { readonly events: number; readonly data: bigint } | undefined {
    const isReady = ({ file, events }: Item): boolean =>
      ((file.object.poll?.(file) ?? 0) & events) !== 0;
    const item = this.#items.find(isReady);
    if (item === undefined) return undefined;
    const { file, events, data } = item;
    if ((events & EPOLLONESHOT) !== 0) {
      const off = { ...item, events: (events & howMask) >>> 0 };
      this.#items = this.#items.map((each) => (each === item ? off : each));
    }
    return { events: (file.object.poll?.(file) ?? 0) & events, data };
  }

  #checkNests(before: readonly Item[]): void {
    try {
      if (this.#depth() > nestsMax + 1) refuse('ELOOP', 'epolls too deep in each other');
    } catch (error) {
      this.#items = before;
      throw error;
    }
  }

  forget(file: OpenFile): void {
    this.#items = this.#items.filter((item) => item.file !== file);
  }

  release(): void {
    for (const { file } of this.#items) file.watchers.delete(this);
  }
}

export const epollCalls: SystemCalls = {
  epoll_create1: ({ process }, args) => {
    const flags = args.int(0);
    if ((flags & ~0o2000000) !== 0) refuse('EINVAL', `flags ${flags}`);
    return process.open(new EpollFile(), 2, flags !== 0);
  },
  epoll_ctl: ({ process }, args) => {
    const operation = args.int(1);
    const view = operation === EPOLL_CTL_DEL ? undefined : process.user.view(args.word(3), 12);
    const epoll = process.table.file(args.int(0));
    const file = process.table.file(args.int(2));
    if (file.object.poll === undefined) refuse('EPERM', 'it cannot be polled');
    if (epoll === file || !(epoll.object instanceof EpollFile)) refuse('EINVAL', 'it is no epoll');
    const events = (view?.getUint32(0, true) ?? 0) | always;
    const data = view?.getBigUint64(4, true) ?? 0n;
    epoll.object.control(operation, { fd: args.int(2), file, events: events >>> 0, data });
    return 0;
  },
  epoll_wait: ({ process }, args) => {
    const { object } = process.table.file(args.int(0));
    if (!(object instanceof EpollFile) || args.int(2) <= 0) return refuse('EINVAL', 'no epoll');
    if (args.int(2) > 1 || args.int(3) !== 0) throw new Unmodelled('epoll_wait(2) that waits');
    const told = object.take();
    if (told === undefined) return 0;
    process.user.put(args.word(1), 12, (view) => {
      view.setUint32(0, told.events, true);
      view.setBigUint64(4, told.data, true);
    });
    return 1;
  },
};
