import { CkptError } from '@ckpt/format';
import type { FileStat } from '@ckpt/engine';
import { closeSync, constants, readdirSync } from 'node:fs';
import { statFile } from './file-stat.ts';
import { address, failure, syscall, trySyscall } from './syscall.ts';

const AT_FDCWD = -100;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOATIME, O_NOCTTY, O_NONBLOCK } = constants;

const ENOENT = -2;
const ESRCH = -3;
const EPERM = -1;

/** Longest path that a link of procfs shows, bytes (PATH_MAX). */
const pathMax = 4096;
/** Bytes of a piece of what is read in parts. */
const partSize = 1 << 18;

/**
 * /proc/PID, held open: it stays that process, whoever has the pid later. What has ended says
 * ESRCH.
 */
export class ProcDirectory {
  readonly fd: number;
  readonly #pid: number;
  #room = Buffer.allocUnsafeSlow(1 << 16);

  /** @throws CkptError ESRCH when there is no such process. */
  constructor(pid: number) {
    this.#pid = pid;
    const path = Buffer.from(`/proc/${pid}\0`);
    const fd = trySyscall('openat', AT_FDCWD, address(path), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd === ENOENT) throw new CkptError('ESRCH', `there is no process ${pid}`);
    if (fd < 0) throw failure(-fd, `opening /proc/${pid}`);
    this.fd = fd;
  }

  /** A path to this directory for calls that take no descriptor. */
  get path(): string {
    return `/proc/self/fd/${this.fd}`;
  }

  /** Whole content; undefined when there is no such file. @throws CkptError as read(2). */
  read(path: string): Buffer | undefined {
    const fd = this.#open(path, 0);
    if (fd === undefined) return undefined;
    try {
      let length = 0;
      for (;;) {
        const free = this.#room.length - length;
        const part = syscall('read', fd, address(this.#room) + BigInt(length), free);
        if (part === 0) return Buffer.from(this.#room.subarray(0, length));
        length += part;
        if (length === this.#room.length) this.#grow();
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Content piece by piece, in one place that is used again. @throws CkptError ENOENT, as read(2). */
  *parts(path: string): Generator<Uint8Array, void, undefined> {
    const fd = this.open(path);
    const room = Buffer.allocUnsafeSlow(partSize);
    try {
      for (let length = 0; ; length = 0) {
        // procfs gives a page at a time.
        while (length < room.length) {
          const free = room.length - length;
          const got = syscall('read', fd, address(room) + BigInt(length), free);
          if (got === 0) break;
          length += got;
        }
        if (length === 0) return;
        yield room.subarray(0, length);
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Whole content as text; empty when there is no such file. */
  readText(path: string): string {
    return this.read(path)?.toString('utf8') ?? '';
  }

  /** Bytes of a file from an offset, as many as there are; links (`fd/3`, `exe`) are followed. */
  readAt(path: string, offset: bigint, length: number): Buffer {
    const fd = this.#open(path, O_NOATIME) ?? this.#missing(path);
    try {
      const bytes = Buffer.allocUnsafeSlow(length);
      let done = 0;
      while (done < length) {
        const at = offset + BigInt(done);
        const part = syscall('pread64', fd, address(bytes) + BigInt(done), length - done, at);
        if (part === 0) break;
        done += part;
      }
      return bytes.subarray(0, done);
    } finally {
      closeSync(fd);
    }
  }

  /** Names; none when there is no such directory. @throws CkptError as getdents(2). */
  list(path: string): string[] {
    try {
      return readdirSync(`${this.path}/${path}`);
    } catch (cause) {
      const errno = (cause as NodeJS.ErrnoException).errno ?? -5;
      if (errno === ENOENT) return [];
      throw failure(-errno, `listing /proc/${this.#pid}/${path}`);
    }
  }

  /** Target of a link; undefined when there is no such link. */
  link(path: string): string | undefined {
    const name = Buffer.from(`${path}\0`);
    const length = trySyscall(
      'readlinkat',
      this.fd,
      address(name),
      address(this.#room),
      pathMax * 2,
    );
    if (length === ENOENT) return undefined;
    if (length < 0) throw failure(-length, `reading the link /proc/${this.#pid}/${path}`);
    return this.#room.toString('utf8', 0, length);
  }

  /** A descriptor for reading. @throws CkptError ENOENT when there is no such file. */
  open(path: string): number {
    return this.#open(path, 0) ?? this.#missing(path);
  }

  stat(path: string): FileStat | undefined {
    return statFile(path, this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }

  #open(path: string, flags: number): number | undefined {
    const name = Buffer.from(`${path}\0`);
    const always = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    let fd = trySyscall('openat', this.fd, address(name), always | flags);
    if (fd === EPERM && flags !== 0) fd = trySyscall('openat', this.fd, address(name), always);
    if (fd === ENOENT) return undefined;
    if (fd === ESRCH) throw new CkptError('ESRCH', `process ${this.#pid} has ended`);
    if (fd < 0) throw failure(-fd, `opening /proc/${this.#pid}/${path}`);
    return fd;
  }

  #missing(path: string): never {
    throw new CkptError('ENOENT', `there is no /proc/${this.#pid}/${path}`);
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.#room.length * 2);
    larger.set(this.#room);
    this.#room = larger;
  }
}
