import { CkptError, type ErrnoName } from '@ckpt/format';

/** Ends a system call with an errno. */
export function refuse(code: ErrnoName, sentence = ''): never {
  throw new CkptError(code, sentence);
}

/** Something that Linux may have and the model does not: never taken for success. */
export class Unmodelled extends CkptError {
  constructor(what: string) {
    super('ENOSYS', `the model of the kernel has no ${what}`);
  }
}
