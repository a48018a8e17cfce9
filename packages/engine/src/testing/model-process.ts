import { errnoName } from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import type { Argument } from '../call.ts';
import { ModelKernel } from '../model/kernel.ts';
import { callModel } from '../model/model-frozen.ts';
import type { ModelProcess } from '../model/process.ts';
import { FakeHost } from './fake-host.ts';

const file = {
  ...{ dev: 0xfe00n, ino: 100n, mode: 0o100644, nlink: 1, uid: 0, gid: 0 },
  ...{ rdev: 0n, size: 10_000n, mtime: 0n },
};

/** A process of the model that has nothing, on a machine with some files. */
export function modelProcess(): ModelProcess {
  const files = {
    '/bin/program': { ...file, ino: 101n, mode: 0o100755 },
    '/etc/secret': { ...file, ino: 102n, mode: 0o100600 },
    '/etc/passwd': file,
    '/dev/null': { ...file, ino: 103n, mode: 0o020666, rdev: 0x103n },
    '/run/fifo': { ...file, ino: 104n, mode: 0o010666 },
  };
  return new ModelKernel(
    { ...new FakeHost().system(), kernel: [6, 18, 0], choosesPids: true },
    files,
  ).make(42);
}

/** What the leader's system call returned: a number, or the name of an errno. */
export function result(process: ModelProcess, call: string, ...args: Argument[]): bigint | string {
  const [answer] = callModel(process, process.leader, [{ call, args }]);
  const value = answer?.result ?? -1n;
  return value < 0n ? (errnoName(Number(-value)) ?? value.toString()) : value;
}

/** What it left in its first room. */
export function room(process: ModelProcess, call: string, ...args: Argument[]): DataView {
  const [answer] = callModel(process, process.leader, [{ call, args }]);
  const bytes = answer?.out[0] ?? new Uint8Array(0);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A C string to be read. */
export const path = (text: string): Argument => ({ in: encodeText(`${text}\0`) });

/** Words of 8 bytes to be read. */
export function words(...values: readonly bigint[]): Argument {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) {
    view.setBigUint64(index * 8, BigInt.asUintN(64, value), true);
  }
  return { in: bytes };
}
