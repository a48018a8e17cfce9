import type { Answer, Argument, Call } from '@ckpt/engine';
import { closeSync } from 'node:fs';
import { callNumber } from './remote-table.ts';
import {
  address,
  failure,
  stableBytes,
  syscallByNumber,
  trySyscall,
  type Word,
} from './syscall.ts';

/** Stands for the duplicate in the arguments of a probe. */
const duplicate = -1000;

function room(argument: Exclude<Argument, number | bigint>): Buffer {
  if ('out' in argument) return stableBytes(argument.out);
  const content = 'in' in argument ? argument.in : argument.inout;
  const bytes = stableBytes(content.length);
  bytes.set(content);
  return bytes;
}

function callHere(call: Call, fd: number): Answer {
  const out: Uint8Array[] = [];
  const words = call.args.map((argument): Word => {
    if (typeof argument !== 'object') return argument === duplicate ? fd : argument;
    const bytes = room(argument);
    if (!('in' in argument)) out.push(bytes);
    return address(bytes);
  });
  return { result: syscallByNumber(callNumber(call), words), out };
}

/**
 * Does something with a duplicate of another process's descriptor.
 * @throws CkptError EBADF when it has no such descriptor, EPERM.
 */
export function withDuplicate<T>(pidfd: number, fd: number, use: (own: number) => T): T {
  const own = trySyscall('pidfd_getfd', pidfd, fd, 0);
  if (own < 0) throw failure(-own, `duplicating descriptor ${fd} of the process`);
  try {
    return use(own);
  } finally {
    closeSync(own);
  }
}

/** Makes calls in this process on such a duplicate. */
export function probe(pidfd: number, fd: number, calls: readonly Call[]): Answer[] {
  return withDuplicate(pidfd, fd, (own) => calls.map((call) => callHere(call, own)));
}
