import type { Random } from '@ckpt/format';
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
import { pageSize } from '../images/records.ts';
import { anyMachine, thisMachine } from './machine.ts';
import type { Reader } from './reader.ts';
import { throughStream } from './watched-file.ts';
import { wholeImage } from './whole-image.ts';

const kernel = [2, 6, 37] as const;

const plan = (name: string, host: (image: Uint8Array) => Host): Reader =>
  wholeImage(name, 'process', (file, bytes) => {
    const made = createEngine(host(bytes)).plan(file, new MemoryFile());
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
  wholeImage('verifyImage', 'base', (file) => verifyImage(file)),
  wholeImage('verifyImage of a kernel', 'base', (file) => verifyImage(file, { kernel })),
  wholeImage('verifyImage of a process', 'process', (file) => verifyImage(file)),
  wholeImage('readBaseImage', 'base', (file) => {
    const stream = { file, total: 0 };
    const opening = readOpening(stream);
    if (opening.revision === 3) readBaseImage(stream, opening);
  }),
  wholeImage('readMetadata', 'process', (file) => {
    const stream = { file, total: 0 };
    const opening = readOpening(stream);
    if (opening.revision === 100) readMetadata(stream, opening);
  }),
  wholeImage('verify', 'image', (file, bytes) =>
    createEngine(anyMachine(bytes)).verify(file, new MemoryFile()),
  ),
  plan('plan', anyMachine),
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
