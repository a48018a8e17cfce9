import { createEngine } from '@ckpt/engine';
import { MemoryHost, type RecordedFacts } from '@ckpt/engine/model';
import { MetaEnd, type Random } from '@ckpt/format';
import { MemoryFile } from '@ckpt/io';
import { generateFacts, resources } from '@ckpt/linux';
import { joined, split, typeOf } from './records.ts';

/** The same for every image: nothing here is to differ from run to run. */
const uuid = new Uint8Array(16).fill(0x5a);

/** Checkpoints the process that a host tells of, which is killed. @throws CkptError */
export function checkpoint(
  host: MemoryHost,
  { task }: RecordedFacts,
  file = new MemoryFile(),
): MemoryFile {
  createEngine(host, { kill: true, random: () => uuid }).checkpoint(task.pid, file);
  file.rewind();
  return file;
}

/** An image of a whole process that could be. */
export function factsImage(random: Random): Uint8Array {
  const facts = generateFacts(random);
  return checkpoint(new MemoryHost(facts, { resources }), facts).bytes;
}

/** All of an image before its pages: as much as a plan needs. */
export function withoutPages(image: Uint8Array): Uint8Array {
  const parts = split(image);
  const end = parts.findIndex((part) => typeOf(part) === MetaEnd.type);
  return joined(parts.slice(0, end + 1));
}
