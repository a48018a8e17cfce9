import type { ImageRecord, RestoreScope, Value } from '@ckpt/engine';
import type { File } from '@ckpt/format';

/** fcntl(2) */
export const F_SETFL = 4;

/** open(2) of x86-64. */
export const O_ACCMODE = 3;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_NOCTTY = 0o400;
export const O_NONBLOCK = 0o4000;
export const O_DIRECT = 0o40000;
export const O_PATH = 0o10000000;
const O_APPEND = 0o2000;
const O_ASYNC = 0o20000;
const O_NOATIME = 0o1000000;

/** What F_SETFL sets. */
const statusMask = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;

/** Arguments of fcntl(2) that set what can be set of flags. */
export const setFlags = (flags: number): readonly [command: number, flags: number] => [
  F_SETFL,
  flags & (statusMask | O_ASYNC),
];

/** Plans the status flags of a description that was made without them. */
export function setStatus(scope: RestoreScope, file: ImageRecord<File>, fd: Value): void {
  const flags = file.value.flags & statusMask;
  if (flags === 0) return;
  scope.call('descriptors', file, 'fcntl', [fd, F_SETFL, flags], {
    what: `set flags 0${flags.toString(8)} of a descriptor`,
  });
}
