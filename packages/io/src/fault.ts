import { CkptError, type CkptErrorOptions, type ErrnoName } from '@ckpt/format';
import type { Stream } from './file.ts';

/** An error noticed at the stream's `total`. */
export function fault(
  code: ErrnoName,
  stream: Stream,
  sentence: string,
  more: CkptErrorOptions = {},
): CkptError {
  return new CkptError(code, sentence, { position: stream.total, ...more });
}

/** The same error with what it does not know yet; what is no CkptError passes untouched. */
export function located(error: unknown, stream: Stream, more: CkptErrorOptions = {}): unknown {
  if (!(error instanceof CkptError)) return error;
  const type = error.type ?? more.type;
  const field = error.field ?? more.field;
  return new CkptError(error.code, error.sentence, {
    position: error.position ?? stream.total,
    path: error.path,
    ...(type === undefined ? {} : { type }),
    ...(field === undefined ? {} : { field }),
    cause: error.cause ?? error,
  });
}

/**
 * Checks a length that a caller gave: an integer from 0 to `max`, in bytes.
 * @throws CkptError EINVAL; `total` and the file are untouched.
 */
export function checkLength(
  stream: Stream,
  name: string,
  value: number,
  max = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw fault('EINVAL', stream, `${name} is ${value}, not an integer from 0 to ${max}`, {
    field: name,
  });
}
