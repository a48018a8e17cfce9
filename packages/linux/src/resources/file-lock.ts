import type { CheckpointScope, ImageRecord } from '@ckpt/engine';
import { FileLock, lockKinds, type File } from '@ckpt/format';
import type { Description, Restoring } from './descriptor.ts';
import { refuse } from './descriptor.ts';

/** "lock:	1: POSIX  ADVISORY  WRITE 13390 fe:00:2187390 5 14" (proc_locks(5)); the last byte counts. */
const pattern = /^lock:\s*\d+: (\S+)\s+(\S+)\s+(\S+) -?\d+ \S+ (\d+) (\d+|EOF)$/;

const kinds: Readonly<Record<string, number>> = {
  FLOCK: lockKinds.FLOCK,
  POSIX: lockKinds.POSIX,
  OFDLCK: lockKinds.OFD,
};

function parseLock(line: string): FileLock | undefined {
  const [, name = '', strictness, mode, first, last] = pattern.exec(line) ?? [];
  const kind = kinds[name];
  if (kind === undefined || strictness !== 'ADVISORY' || first === undefined) return undefined;
  if (mode !== 'READ' && mode !== 'WRITE') return undefined;
  const start = BigInt(first);
  const length = last === 'EOF' || last === undefined ? 0n : BigInt(last) - start + 1n;
  return { kind, exclusive: mode === 'WRITE' ? 1 : 0, start, length };
}

/** Locks that a task holds through a description; undefined when one of them was refused. */
export function readLocks(
  scope: CheckpointScope,
  description: Description,
): readonly FileLock[] | undefined {
  const lines = description.info.lines.filter((line) => line.startsWith('lock:'));
  const locks = lines.flatMap((line) => parseLock(line) ?? []);
  if (locks.length === lines.length) return locks;
  refuse(scope, description, {
    reason: 'it has a lease, or a lock of a kind that cannot be taken again',
    remedy: 'let go of it before the checkpoint (fcntl(2) F_SETLEASE)',
  });
  return undefined;
}

/** sys/file.h */
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
/** fcntl(2) */
const F_SETLK = 6;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;

/** struct flock of x86-64, counted from the start of the file; l_pid is 0. */
function flockOf({ exclusive, start, length }: FileLock): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, exclusive === 1 ? F_WRLCK : F_RDLCK, true);
  view.setBigUint64(8, start, true);
  view.setBigUint64(16, length, true);
  return bytes;
}

/** Offsets are signed. */
const offsetMax = 0x7fff_ffff_ffff_ffffn;

function checkLock(file: ImageRecord<File>, { kind, exclusive, start, length }: FileLock): void {
  if (!Object.values(lockKinds).includes(kind)) {
    throw file.invalid('locks', `a lock of kind ${kind}`, 'ENOSYS');
  }
  if (exclusive > 1 || start > offsetMax || length > offsetMax - start) {
    throw file.invalid('locks', `a lock of ${length.toString()} bytes at ${start.toString()}`);
  }
}

/** Plans to take the locks of a description again. Nobody waits: who has them now is to let go. */
export function restoreLocks({ scope, fdOf }: Restoring, file: ImageRecord<File>): void {
  if (file.value.locks === 0) return;
  const locks = file.arrayOf(FileLock);
  if (locks.length !== file.value.locks) {
    throw file.invalid('locks', `${locks.length} locks where ${file.value.locks} were said`);
  }
  const fd = fdOf(file) ?? -1;
  for (const lock of locks) {
    checkLock(file, lock);
    const what = `lock the file of descriptor ${fd}, which somebody else has locked: see lslocks(8)`;
    if (lock.kind === lockKinds.FLOCK) {
      const how = (lock.exclusive === 1 ? LOCK_EX : LOCK_SH) | LOCK_NB;
      scope.call('settle', file, 'flock', [fd, how], { what });
      continue;
    }
    const command = lock.kind === lockKinds.OFD ? F_OFD_SETLK : F_SETLK;
    scope.call('settle', file, 'fcntl', [fd, command, { blob: flockOf(lock) }], { what });
  }
}
