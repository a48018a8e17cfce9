import { createEngine, type Plan } from '@ckpt/engine';
import { MemoryHost, type RecordedFacts } from '@ckpt/engine/model';
import { crc32c, MetaEnd } from '@ckpt/format';
import { MemoryFile } from '@ckpt/io';
import { resources } from '../resources/index.ts';

/** A record of the metadata. */
export interface Part {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Records of an image up to META_END, which is left out. */
function partsOf(image: Uint8Array): readonly Part[] {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const parts: Part[] = [];
  for (let at = 0; ;) {
    const type = view.getUint32(at, true);
    if (type === MetaEnd.type) return parts;
    const end = at + view.getUint32(at + 4, true);
    parts.push({ type, bytes: image.slice(at, end) });
    at = end;
  }
}

/** Metadata of such records, with a right checksum: as somebody would make it who means harm. */
function sealed(parts: readonly Part[]): Uint8Array {
  const before = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const image = new Uint8Array(before + MetaEnd.size);
  let at = 0;
  for (const { bytes } of parts) {
    image.set(bytes, at);
    at += bytes.length;
  }
  const checksum = crc32c(image.subarray(0, before));
  image.set(MetaEnd.encode({ length: BigInt(before), algorithm: 1, checksum }), before);
  return image;
}

/** An image of recorded facts, and what becomes of it when its records are changed. */
export class ChangedImage {
  readonly parts: readonly Part[];
  readonly #host: MemoryHost;

  constructor(facts: RecordedFacts) {
    this.#host = new MemoryHost(facts, { resources });
    const file = new MemoryFile();
    createEngine(this.#host, { kill: true }).checkpoint(facts.task.pid, file);
    this.parts = partsOf(file.bytes);
  }

  /** @throws CkptError as a restart does that has not begun. */
  plan(parts: readonly Part[]): Plan {
    return createEngine(this.#host).plan(new MemoryFile(sealed(parts)));
  }

  /** The records with one of them changed; `change` gets a copy. */
  with(index: number, change: (view: DataView) => void): readonly Part[] {
    return this.parts.map((part, at) => {
      if (at !== index) return part;
      const bytes = part.bytes.slice();
      change(new DataView(bytes.buffer));
      return { ...part, bytes };
    });
  }

  /** Where a record of that type is, and what stands before it, bytes. */
  find(type: number): { readonly index: number; readonly position: number } {
    const index = this.parts.findIndex((part) => part.type === type);
    if (index < 0) throw new Error(`there is no record ${type}`);
    return { index, position: this.position(index) };
  }

  position(index: number): number {
    return this.parts.slice(0, index).reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}
