import type { Inode } from './file-system.ts';
import type { OpenFile } from './open-file.ts';
import { refuse } from './refuse.ts';
import type { Caller, Words } from './system-call.ts';

/** fcntl(2) */
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const F_SEAL_SEAL = 1;
const F_SEAL_GROW = 4;
const F_SEAL_WRITE = 8;
const F_SEAL_FUTURE_WRITE = 0x10;
const allSeals = 0x3f;

/** True where somebody may write to the file through memory. */
function isWritable({ process }: Caller, inode: Inode): boolean {
  return process.space.vmas.some(
    ({ backing, flags }) =>
      backing.kind === 'object' && backing.object === inode && flags.has('sh') && flags.has('mw'),
  );
}

/** fcntl(2) of what can be sealed; undefined for other commands. */
export function sealCall(
  caller: Caller,
  inode: Inode,
  file: OpenFile,
  args: Words,
): number | undefined {
  const command = args.int(1);
  if (command !== F_ADD_SEALS && command !== F_GET_SEALS) return undefined;
  const before = inode.seals ?? refuse('EINVAL', 'it cannot be sealed');
  if (command === F_GET_SEALS) return before;
  const added = args.unsigned(2);
  if ((added & ~allSeals) !== 0) refuse('EINVAL', `seals ${added}`);
  if ((file.flags & 3) === 0) refuse('EPERM', 'it was not opened for writing');
  if ((before & F_SEAL_SEAL) !== 0) refuse('EPERM', 'it is sealed');
  if ((added & ~before & F_SEAL_WRITE) !== 0 && isWritable(caller, inode)) {
    refuse('EBUSY', 'it is mapped for writing');
  }
  inode.seals = before | added;
  return 0;
}

/** What write(2) must not do. @throws CkptError EPERM. */
export function checkSealed({ seals = 0, stat }: Inode, end: bigint): void {
  if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) refuse('EPERM', 'it is sealed');
  if ((seals & F_SEAL_GROW) !== 0 && end > stat.size) refuse('EPERM', 'it may not grow');
}
