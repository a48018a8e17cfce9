import { getSystemErrorMap } from 'node:util';
import { CkptError, errnoName } from '@ckpt/format';

/** The errno of what Node threw, positive: EINVAL where it refused an argument by itself. */
function errnoOf(error: object): number | undefined {
  if ('errno' in error && typeof error.errno === 'number') return Math.abs(error.errno);
  if ('code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_')) return 22;
  return undefined;
}

/**
 * What Node threw, as a CkptError with the errno of the system call; EIO for one without a name
 * here. `doing` opens the sentence: "writing to descriptor 1". Any other exception is our bug and
 * is passed on.
 */
export function systemError(error: unknown, doing: string): unknown {
  if (error instanceof CkptError || typeof error !== 'object' || error === null) return error;
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const said = getSystemErrorMap().get(-errno)?.[1] ?? `error ${errno}`;
  return new CkptError(errnoName(errno) ?? 'EIO', `${doing}: ${said}`, { cause: error });
}

/** Runs a call of `node:fs`; what it throws comes out as {@link systemError}. */
export function system<T>(doing: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw systemError(error, doing);
  }
}
