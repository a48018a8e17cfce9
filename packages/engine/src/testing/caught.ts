import { CkptError } from '@ckpt/format';

/** The CkptError that a call throws; any other exception, and none, fails the test. */
export function caught(call: () => unknown): CkptError {
  try {
    call();
  } catch (error) {
    if (error instanceof CkptError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
