import { CkptError, type Random } from '@ckpt/format';
import {
  createEngine,
  createPageReader,
  planToJson,
  planToText,
  readBaseImage,
  readMetadata,
  readOpening,
  verifyImage,
  type Host,
} from '@ckpt/engine';
import { MemoryFile, type Stream } from '@ckpt/io';
import { below } from '../draw.ts';
import { Failure } from '../campaign.ts';
import { pageSize } from '../images/records.ts';
import { anyMachine, thisMachine } from './machine.ts';
import type { Reader } from './reader.ts';
import { throughStream, WatchedFile } from './watched-file.ts';

const kernel = [2, 6, 37] as const;

/** Reads an image; an error of it must say where. */
function whole(name: string, bytes: Uint8Array, read: (file: WatchedFile) => void): void {
  const file = new WatchedFile(bytes);
  try {
    read(file);
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    const { position = -1, message } = error;
    if (Number.isInteger(position) && position >= 0 && position <= bytes.length) throw error;
    throw new Failure(`position of an error in ${name}`, `${message}: position ${position}`);
  } finally {
    file.check(name);
  }
}

const over = (
  name: string,
  takes: Reader['takes'],
  read: (file: WatchedFile) => unknown,
): Reader => ({
  ...{ name, takes },
  read: (bytes) => {
    whole(name, bytes, (file) => void read(file));
  },
});

const plan = (name: string, host: () => Host): Reader =>
  over(name, 'process', (file) => {
    const made = createEngine(host()).plan(file, new MemoryFile());
    JSON.stringify(planToJson(made));
    planToText(made);
  });

/** Opens, reads, passes over and finishes the pages of a store, as a restart does. */
function readPages(stream: Stream, pages: number, moves: number): void {
  const reader = createPageReader(stream, { pages, pageSize, start: 0 });
  let next = moves;
  while (reader.index < pages) {
    const ready = reader.ready();
    const some = Math.max(1, Math.min(ready, next & 3));
    if (next & 4) reader.skip(some);
    else reader.read(new Uint8Array(some * pageSize));
    next = next >>> 3 || moves;
  }
  reader.finish();
}

/** Every reader of @ckpt/engine, with the kinds of @ckpt/linux where a plan is made. */
export const engineReaders: readonly Reader[] = [
  over('verifyImage', 'base', (file) => verifyImage(file)),
  over('verifyImage of a kernel', 'base', (file) => verifyImage(file, { kernel })),
  over('verifyImage of a process', 'process', (file) => verifyImage(file)),
  over('readBaseImage', 'base', (file) => {
    const stream = { file, total: 0 };
    const opening = readOpening(stream);
    if (opening.revision === 3) readBaseImage(stream, opening);
  }),
  over('readMetadata', 'process', (file) => {
    const stream = { file, total: 0 };
    const opening = readOpening(stream);
    if (opening.revision === 100) readMetadata(stream, opening);
  }),
  over('verify', 'image', (file) => createEngine(anyMachine).verify(file, new MemoryFile())),
  plan('plan', () => anyMachine),
  plan('plan for this machine', thisMachine),
  {
    name: 'createPageReader',
    takes: 'record',
    args: (random: Random) => [below(random, 6), random() >>> 1],
    read: (bytes, [pages = 0, moves = 0]) => {
      throughStream('createPageReader', bytes, 0, (stream) => {
        readPages(stream, pages, moves);
      });
    },
  },
];
