import { CkptError } from '@ckpt/format';
import { closeSync, openSync } from 'node:fs';
import { address, failure, trySyscall } from './syscall.ts';

/** Memory of another process through /proc/PID/mem; writes go through read-only mappings too. */
export class Memory {
  readonly #fd: number;
  readonly #pid: number;
  readonly #at: (point: string) => void;

  /** `path`: a directory that is /proc/PID, so that a held directory stays right when a pid is reused. */
  constructor(pid: number, at: (point: string) => void = () => undefined, path = `/proc/${pid}`) {
    this.#pid = pid;
    this.#at = at;
    try {
      this.#fd = openSync(`${path}/mem`, 'r+');
    } catch (cause) {
      const { errno } = cause as NodeJS.ErrnoException;
      throw failure(-(errno ?? -5), `opening the memory of process ${pid}`);
    }
  }

  /** Fills `into`. @throws CkptError EFAULT where nothing is mapped, ESRCH when the process is gone. */
  readInto(at: bigint, into: Uint8Array): void {
    const to = address(into);
    for (let done = 0; done < into.length;) {
      const part = trySyscall(
        'pread64',
        this.#fd,
        to + BigInt(done),
        into.length - done,
        at + BigInt(done),
      );
      if (part <= 0) throw this.#fault(part, 'read', at + BigInt(done));
      done += part;
    }
  }

  read(at: bigint, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    if (length > 0) this.readInto(at, bytes);
    return bytes;
  }

  readWord(at: bigint): bigint {
    return this.read(at, 8).readBigUInt64LE(0);
  }

  /** @throws CkptError EFAULT where nothing is mapped, ESRCH when the process is gone. */
  write(at: bigint, bytes: Uint8Array): void {
    const from = address(bytes);
    for (let done = 0; done < bytes.length;) {
      const part = trySyscall(
        'pwrite64',
        this.#fd,
        from + BigInt(done),
        bytes.length - done,
        at + BigInt(done),
      );
      if (part <= 0) throw this.#fault(part, 'write', at + BigInt(done));
      done += part;
    }
    this.#at('memory write');
  }

  writeWord(at: bigint, value: bigint): void {
    const word = Buffer.allocUnsafeSlow(8);
    word.writeBigUInt64LE(BigInt.asUintN(64, value), 0);
    this.write(at, word);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #fault(result: number, what: string, at: bigint): CkptError {
    const where = `${what} of memory at 0x${at.toString(16)} in process ${this.#pid}`;
    // The file ends at once when the address space is gone.
    if (result === 0) return new CkptError('ESRCH', `${where}: the process has ended`);
    if (result === -5)
      return new CkptError('EFAULT', `${where}: nothing that can be reached is mapped there`);
    return failure(-result, where);
  }
}
