import { CkptError, type ErrnoName } from '@ckpt/format';
import type { CkptFile } from '@ckpt/io';
import { createLogStream, type LogStream, type LogStreamOptions } from '@ckpt/log';

/** One checkpoint or restart, from its start to its end. */
export interface Context extends LogStream {
  /** Checkpoint id; 0 before it is given. */
  crid: number;
  /** Pid that was asked for. */
  readonly rootPid: number;
  /** Flags of the caller: 0. */
  readonly uflags: bigint;
  /** Flags of the image that is restarted: 0. */
  oflags: bigint;
}

export interface ContextOptions extends LogStreamOptions {
  readonly rootPid: number;
}

/** @throws CkptError EBADF for what is no file, or was not opened for this. */
function checkAccess(name: string, file: unknown, access: 'read' | 'write'): void {
  const isFile =
    typeof file === 'object' &&
    file !== null &&
    access in file &&
    typeof (file as Readonly<Record<string, unknown>>)[access] === 'function';
  if (!isFile) throw new CkptError('EBADF', `the ${name} is no file`);
  const opened = (file as CkptFile).access;
  if (opened === undefined || opened === 'both' || opened === access) return;
  const verb = access === 'read' ? 'read' : 'written';
  throw new CkptError('EBADF', `the ${name} cannot be ${verb}: it was opened to ${opened}`);
}

/**
 * Makes a context. Nothing was touched when it throws.
 * @throws CkptError EBADF for what is no file, or cannot be read or written; EINVAL when the log
 * would land inside of the image.
 */
export function createContext(options: ContextOptions, access: 'read' | 'write'): Context {
  const { file, logFile, rootPid } = options;
  checkAccess('image', file, access);
  if (logFile !== undefined) checkAccess('log', logFile, 'write');
  return Object.assign(createLogStream(options), { crid: 0, rootPid, uflags: 0n, oflags: 0n });
}

/** Errors of a call that was interrupted and would be made again: nobody may do so by itself. */
const restarts: ReadonlySet<ErrnoName> = new Set([
  ...(['ERESTARTSYS', 'ERESTARTNOINTR', 'ERESTARTNOHAND', 'ERESTART_RESTARTBLOCK'] as const),
]);

/** EINTR in the place of what asks for a call to be made again; all else as it is. */
export function withoutRestart(error: CkptError): CkptError {
  if (!restarts.has(error.code)) return error;
  const { sentence, path, position, type, field } = error;
  return new CkptError('EINTR', sentence, {
    path,
    cause: error,
    ...(position === undefined ? {} : { position }),
    ...(type === undefined ? {} : { type }),
    ...(field === undefined ? {} : { field }),
  });
}
