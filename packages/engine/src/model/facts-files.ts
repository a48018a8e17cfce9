import { decodeText } from '@ckpt/io';
import type { RecordedFacts } from './facts.ts';
import { digestsOf } from './facts-memory.ts';
import type { FileSystem } from './file-system.ts';

const header = /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \d+ +(\/.*)$/gm;

const hex = (text = '0'): bigint => BigInt(`0x${text}`);

/**
 * Tells a file system what was read of files through mappings: memory that was looked at and is no
 * page of the process's own stands in the file.
 */
export function learnFiles(files: FileSystem, facts: RecordedFacts): void {
  const text = decodeText(facts.read.smaps ?? facts.read.maps ?? new Uint8Array(0));
  const own = digestsOf(facts);
  for (const [, start, end, offset, path = ''] of text.matchAll(header)) {
    const [first, last] = [hex(start), hex(end)];
    const entry = files.entry(path);
    if (entry === undefined) continue;
    for (const { address, bytes } of facts.memory) {
      if (address < first || address + BigInt(bytes.length) > last) continue;
      if (own.has(address - (address % 4096n))) continue;
      entry.inode.learn(hex(offset) + address - first, bytes);
    }
  }
}
