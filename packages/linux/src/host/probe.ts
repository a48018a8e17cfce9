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
 * Makes calls in this process on a duplicate of another's descriptor.
 * @throws CkptError EBADF when it has no such descriptor, EPERM.
 */
export function probe(pidfd: number, fd: number, calls: readonly Call[]): Answer[] {
  const own = trySyscall('pidfd_getfd', pidfd, fd, 0);
  if (own < 0) throw failure(-own, `duplicating descriptor ${fd} of the process`);
  try {
    return calls.map((call) => callHere(call, own));
  } finally {
    closeSync(own);
  }
}
