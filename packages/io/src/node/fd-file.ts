import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { CkptError } from '@ckpt/format';
import type { CkptFile } from '../file.ts';
import { pause, pauseMs } from '../patience.ts';
import { system, systemError } from './system-error.ts';

export interface FdFileOptions {
  /**
   * Milliseconds that are left when a transfer has to wait; none left is ETIMEDOUT. Without it a
   * transfer waits as long as it takes.
   */
  readonly deadline?: () => number;
  /** The descriptor is somebody else's: closing the file leaves it open. */
  readonly borrowed?: boolean;
}

type Transfer = (
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: null,
) => number;

/** Most bytes of one read(2) or write(2): MAX_RW_COUNT of linux/fs.h is a page below 2 GiB. */
const transferMax = 2 ** 30;

/**
 * An open descriptor: regular file, pipe, socket, device. Only read(2) and write(2), so that the
 * position is that of the open file description and whoever shares it goes on behind us. EINTR is
 * tried again; EAGAIN of a non-blocking descriptor is waited for. A blocking one blocks in the
 * kernel, deadline or not: see {@link nonBlockingFile}.
 */
export class FdFile implements CkptFile {
  readonly fd: number;
  readonly #deadline: (() => number) | undefined;
  readonly #borrowed: boolean;
  #closed = false;

  /** @throws CkptError EBADF when no such descriptor is open. */
  constructor(fd: number, options: FdFileOptions = {}) {
    if (!Number.isInteger(fd) || fd < 0) throw new CkptError('EBADF', `${fd} is no descriptor`);
    system(`descriptor ${fd}`, () => fstatSync(fd));
    this.fd = fd;
    this.#deadline = options.deadline;
    this.#borrowed = options.borrowed ?? false;
  }

  read(into: Uint8Array): number {
    return this.#transfer(readSync, into, 'reading from');
  }

  write(from: Uint8Array): number {
    return this.#transfer(writeSync, from, 'writing to');
  }

  /** Access mode of the open file description (proc_pid_fdinfo(5)); undefined without /proc. */
  get access(): CkptFile['access'] {
    const flags = openFlags(this.fd);
    if (flags === undefined) return undefined;
    const mode = flags & 3;
    if (mode === constants.O_RDONLY) return 'read';
    return mode === constants.O_WRONLY ? 'write' : 'both';
  }

  /** Device and inode. Undefined for a character device, whose users share no bytes. */
  get identity(): string | undefined {
    const stat = system(`descriptor ${this.fd}`, () => fstatSync(this.fd, { bigint: true }));
    return stat.isCharacterDevice() ? undefined : `${stat.dev}:${stat.ino}`;
  }

  /** Closes the descriptor, once. @throws CkptError as close(2): EIO, ENOSPC, EDQUOT. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#borrowed) return;
    system(`closing descriptor ${this.fd}`, () => {
      closeSync(this.fd);
    });
  }

  #transfer(call: Transfer, bytes: Uint8Array, doing: string): number {
    // The number may be somebody else's by now.
    if (this.#closed) throw new CkptError('EBADF', `descriptor ${this.fd} is closed`);
    const length = Math.min(bytes.length, transferMax);
    if (length === 0) return 0;
    for (let idle = 0; ;) {
      try {
        return call(this.fd, bytes, 0, length, null);
      } catch (caught) {
        const error = systemError(caught, `${doing} descriptor ${this.fd}`);
        if (!(error instanceof CkptError)) throw error;
        if (error.code === 'EAGAIN') this.#wait(idle++, error);
        else if (error.code !== 'EINTR') throw error;
      }
    }
  }

  /** Sleeps a little. There is no poll(2) in Node that a frozen process could wait in. */
  #wait(idle: number, error: CkptError): void {
    const left = this.#deadline?.() ?? Infinity;
    if (left <= 0) {
      throw new CkptError('ETIMEDOUT', `${error.sentence}, and the deadline has passed`, {
        cause: error,
      });
    }
    if (!pause(Math.min(pauseMs(idle), left))) throw error;
  }
}

/** Flags of an open file description, as open(2) has them. */
function openFlags(fd: number): number | undefined {
  let info: string;
  try {
    info = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
  } catch {
    return undefined;
  }
  const flags = /^flags:\s*([0-7]+)/m.exec(info)?.[1];
  return flags === undefined ? undefined : Number.parseInt(flags, 8);
}

/**
 * A file over a descriptor for transfers that a stalled other end must not hold for ever: a pipe
 * or FIFO is opened anew, non-blocking, through /proc/self/fd, as setting O_NONBLOCK on the
 * descriptor itself would change it for everybody who shares it. Whatever cannot be opened anew
 * (sockets, files, no /proc) is used as it is. Closing it leaves the descriptor that was given.
 */
export function nonBlockingFile(
  fd: number,
  access: 'read' | 'write',
  options: FdFileOptions = {},
): FdFile {
  const plain = new FdFile(fd, { ...options, borrowed: true });
  if (!system(`descriptor ${fd}`, () => fstatSync(fd)).isFIFO()) return plain;
  const mode = access === 'read' ? constants.O_RDONLY : constants.O_WRONLY;
  let opened: number;
  try {
    opened = openSync(`/proc/self/fd/${fd}`, mode | constants.O_NONBLOCK);
  } catch {
    return plain;
  }
  return new FdFile(opened, { ...options, borrowed: false });
}
