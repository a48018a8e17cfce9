import { CkptError } from '@ckpt/format';
import { Failure } from '../campaign.ts';
import type { Reader } from './reader.ts';
import { WatchedFile } from './watched-file.ts';

/** A reader of whole images: what it finds wrong must say where. */
export function wholeImage(
  name: string,
  takes: Reader['takes'],
  read: (file: WatchedFile, bytes: Uint8Array) => unknown,
  types?: readonly number[],
): Reader {
  return {
    ...{ name, takes },
    ...(types === undefined ? {} : { types }),
    read: (bytes) => {
      const file = new WatchedFile(bytes);
      try {
        read(file, bytes);
      } catch (error) {
        if (!(error instanceof CkptError)) throw error;
        const { position = -1, message } = error;
        if (Number.isInteger(position) && position >= 0 && position <= bytes.length) throw error;
        throw new Failure(`position of an error in ${name}`, `${message}: position ${position}`);
      } finally {
        file.check(name);
      }
    },
  };
}
