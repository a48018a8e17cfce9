import { CkptError } from '@ckpt/format';
import { describe, expect, it } from 'vitest';
import { builtInSeeds } from '../images/seeds.ts';
import { limits } from '../run/limits.ts';
import { runHere } from '../run/here.ts';
import { differential, ours, type Read } from './differential.ts';

const seeds = builtInSeeds();
const quick = { ...limits, shrinkMs: 600 };

/** Keys of what is found when one of our readers is another one. */
function found(target: string, read: (right: Read) => Read): readonly string[] {
  const right = ours[target];
  if (right === undefined) throw new Error(target);
  const campaign = differential(seeds, { ...ours, [target]: read(right) });
  return runHere(campaign, 1, { runs: 3000 }, quick).findings.map(({ fault }) => fault.key);
}

const changed =
  (how: (error: CkptError) => CkptError) =>
  (right: Read): Read =>
  (bytes) => {
    try {
      return right(bytes);
    } catch (error) {
      throw error instanceof CkptError ? how(error) : error;
    }
  };

describe('the naive reader', () => {
  it('disagrees with a position that is one off', () => {
    const off = changed(
      ({ code, sentence, position = 0 }) =>
        new CkptError(code, sentence, { position: position === 363 ? 355 : position }),
    );
    expect(found('base', off)).toEqual(['position of base']);
  });

  it('disagrees with another errno', () => {
    const other = changed(
      ({ code, sentence, position = 0 }) =>
        new CkptError(code === 'E2BIG' ? 'EINVAL' : code, sentence, { position }),
    );
    expect(found('image', other)).toEqual(['errno of image']);
  });

  it('disagrees with a field that lost its upper half', () => {
    const narrow =
      (right: Read): Read =>
      (bytes) => {
        const read = right(bytes);
        const { set_child_tid: tid } = read;
        return typeof tid === 'bigint' ? { ...read, set_child_tid: BigInt.asUintN(32, tid) } : read;
      };
    expect(found('base', narrow)).toEqual(['set_child_tid of base']);
  });

  it('disagrees with a reader that takes an image without its checksum', () => {
    const trusting =
      (right: Read): Read =>
      (bytes) => {
        try {
          return right(bytes);
        } catch (error) {
          if (error instanceof CkptError && error.field === 'checksum') {
            return { revision: 100, length: bytes.length, pages: 0 };
          }
          throw error;
        }
      };
    expect(found('image', trusting).length).toBeGreaterThan(0);
  });
});
