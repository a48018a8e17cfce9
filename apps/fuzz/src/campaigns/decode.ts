import { CkptError, type Random } from '@ckpt/format';
import { overBytes, type Campaign, type Input } from '../campaign.ts';
import { below, oneOf, once } from '../draw.ts';
import { baseImage } from '../images/base-image.ts';
import { mutatedProcess, mutatedSeed } from '../images/mutate.ts';
import { processImage } from '../images/process-image.ts';
import { joined, split } from '../images/records.ts';
import type { Seeds } from '../images/seeds.ts';
import { engineReaders } from '../readers/engine.ts';
import { ioReaders } from '../readers/io.ts';
import { kindReaders } from '../readers/kinds.ts';
import { modelReaders } from '../readers/model.ts';
import type { Reader } from '../readers/reader.ts';
import { structReaders } from '../readers/structs.ts';

const allReaders: readonly Reader[] = [
  ...[...engineReaders, ...kindReaders, ...modelReaders, ...ioReaders, ...structReaders],
];

/** Records of an image from a random one on. */
function fromRecord(random: Random, image: Uint8Array): Uint8Array {
  const parts = split(image);
  return joined(parts.slice(below(random, parts.length)));
}

/** An image of revision 100: of the records that a reader looks at, where that is told. */
function processFor(random: Random, { types }: Reader, seeds: Seeds): Uint8Array {
  if (types !== undefined && once(random, 2)) {
    return mutatedProcess(random, [processImage(random, types)]);
  }
  return once(random, 32) ? processImage(random) : mutatedProcess(random, seeds.process);
}

/** Bytes for a reader. */
function bytesFor(random: Random, reader: Reader, seeds: Seeds): Uint8Array {
  const { takes } = reader;
  const isProcess = takes === 'process' || (takes !== 'base' && once(random, 2));
  const image = isProcess
    ? processFor(random, reader, seeds)
    : once(random, 32)
      ? baseImage(random)
      : mutatedSeed(random, seeds.base);
  return takes === 'record' ? fromRecord(random, image) : image;
}

/** Any bytes into every reader: a result or a CkptError, in bounded time and memory. */
export function decode(seeds: Seeds, readers: readonly Reader[] = allReaders): Campaign<Input> {
  const byName = new Map(readers.map((reader) => [reader.name, reader]));
  return overBytes({
    name: 'decode',
    doc: 'mutated and generated images into every reader: only CkptError comes out',
    make(random) {
      const reader = oneOf(random, readers);
      const bytes = bytesFor(random, reader, seeds);
      return { bytes, target: reader.name, args: reader.args?.(random, bytes) ?? [] };
    },
    run({ bytes, target, args }) {
      const reader = byName.get(target);
      if (reader === undefined) throw new Error(`there is no reader ${target}`);
      try {
        reader.read(bytes, args);
      } catch (error) {
        if (!(error instanceof CkptError)) throw error;
      }
    },
  });
}
