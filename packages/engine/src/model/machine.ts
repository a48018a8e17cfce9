import type { FileStat } from '../file-stat.ts';
import type { System } from '../system.ts';
import { statusLines } from './credentials.ts';
import type { Facts } from './facts.ts';
import { FileSystem } from './file-system.ts';
import { OutsidePipes } from './outside.ts';
import type { ModelProcess } from './process.ts';
import { BoundAddresses } from './socket-addresses.ts';

/** First inode of what the model makes by itself. */
const inodeFirst = 1_000_000n;

const temporary: FileStat = {
  ...{ dev: 0xfe00n, ino: 3n, mode: 0o041777, nlink: 2, uid: 0, gid: 0 },
  ...{ rdev: 0n, size: 4096n, mtime: 0n },
};

/** "ff,00000001": 32 processors a word, the highest first. */
function processorsOf(text: string): Uint8Array {
  const words = text.split(',').reverse();
  const mask = new Uint8Array(Math.ceil(words.length / 2) * 8);
  const view = new DataView(mask.buffer);
  for (const [index, word] of words.entries()) {
    view.setUint32(index * 4, Number.parseInt(word, 16) || 0, true);
  }
  return mask;
}

/** A machine of the model: what its processes share. */
export class Machine {
  readonly system: System;
  readonly files: FileSystem;
  readonly addresses = new BoundAddresses();
  readonly outside = new OutsidePipes();
  readonly processes = new Map<number, ModelProcess>();
  /** Processors that there are, one bit each. */
  readonly processors: Uint8Array;
  #inode = inodeFirst;
  #file = 0;

  constructor(system: System, files: Facts<FileStat | undefined>) {
    this.system = system;
    this.files = new FileSystem(() => this.nextInode());
    for (const [path, stat] of Object.entries(files)) {
      if (stat !== undefined && path.startsWith('/')) this.files.add(path, stat);
    }
    // Every machine has it, whatever was looked at.
    if (this.files.entry('/tmp') === undefined) this.files.add('/tmp', temporary);
    const status = system.self?.status ?? new Uint8Array(0);
    this.processors = processorsOf(statusLines(status).get('Cpus_allowed') ?? '1');
  }

  nextInode(): bigint {
    return this.#inode++;
  }

  nextFile(): number {
    return this.#file++;
  }
}
