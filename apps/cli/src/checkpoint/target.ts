import { fstatSync, fsyncSync } from 'node:fs';
import { isatty } from 'node:tty';
import { createImage, nonBlockingFile, systemError, type NewImage } from '@ckpt/io/node';
import { guard } from './guard.ts';
import { UsageError } from '../usage-error.ts';

interface TargetOptions {
  /** Milliseconds that the frozen process may still wait for whoever takes the image. */
  readonly deadline: () => number;
  readonly force: boolean;
}

function standardOutput(deadline: () => number): NewImage {
  if (isatty(1)) {
    throw new UsageError(
      'standard output is a terminal, and an image is no text: give -o FILE, or redirect it',
    );
  }
  const file = nonBlockingFile(1, 'write', { deadline });
  return {
    file,
    commit() {
      if (!fstatSync(1).isFile()) return;
      try {
        fsyncSync(1);
      } catch (error) {
        throw systemError(error, 'syncing standard output');
      }
    },
    abort() {
      // What was written says by its missing TAIL that it is not whole.
    },
  };
}

/**
 * Where the image goes: a file that gets its name when it is whole, or standard output.
 * @throws UsageError for a terminal; CkptError as `createImage`.
 */
export function openTarget(path: string | undefined, options: TargetOptions): NewImage {
  if (path === undefined) return standardOutput(options.deadline);
  const image = createImage(path, options);
  const dismiss = guard(image.file.fd);
  return {
    file: image.file,
    commit() {
      image.commit();
      dismiss();
    },
    abort() {
      image.abort();
      dismiss();
    },
  };
}
