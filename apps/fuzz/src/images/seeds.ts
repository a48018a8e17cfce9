import { seeded } from '@ckpt/format';
import { encodeBaseImage } from '@ckpt/engine';
import { baseImage, emptyTask, writer } from './base-image.ts';
import { factsImage, withoutPages } from './facts-image.ts';
import { processImage } from './process-image.ts';
import { joined, rawRecord } from './records.ts';

/** Images that mutations start from. */
export interface Seeds {
  /** Revision 3, and whatever is of no revision. */
  readonly base: readonly Uint8Array[];
  /** Revision 100. */
  readonly process: readonly Uint8Array[];
}

const text = (from: string): Uint8Array => new TextEncoder().encode(from);

/** What a failed writer leaves: an image that ends early, ERROR, and its text. */
function aborted(image: Uint8Array, length: number): Uint8Array {
  const reason = text('\0[err -28][pos 130][E @ here:1]no space left');
  const records = [rawRecord(9999, new Uint8Array(0)), rawRecord(4, reason)];
  return joined([image.subarray(0, length), ...records]);
}

function baseSeeds(): readonly Uint8Array[] {
  const random = seeded(1);
  const plain = encodeBaseImage(writer, emptyTask);
  const made = Array.from({ length: 4 }, () => baseImage(random));
  return [
    ...[plain, ...made, aborted(plain, 202), aborted(plain, 275), joined([plain, plain])],
    joined([plain.subarray(0, 129), rawRecord(9999, text('\0inline')), plain.subarray(129)]),
  ];
}

/** Whole processes, with their pages and without; and any records whose form is right. */
function processSeeds(): readonly Uint8Array[] {
  const random = seeded(1);
  const formal = Array.from({ length: 16 }, () => processImage(random));
  const whole = Array.from({ length: 8 }, () => factsImage(random));
  return [
    ...[factsImage(() => 0), ...whole, ...whole.map(withoutPages)],
    ...[...formal, ...formal.slice(0, 2).map((one) => aborted(one, 600))],
  ];
}

/** The plainest images, and some of everything; made when they are first looked at. */
export function builtInSeeds(): Seeds {
  let base: readonly Uint8Array[] | undefined;
  let process: readonly Uint8Array[] | undefined;
  return {
    get base() {
      return (base ??= baseSeeds());
    },
    get process() {
      return (process ??= processSeeds());
    },
  };
}

/** Sorts images by the revision that their header names. */
export function sortSeeds(images: readonly Uint8Array[]): Seeds {
  const isProcess = (image: Uint8Array): boolean => image[24] === 100 && image[25] === 0;
  return {
    base: images.filter((image) => !isProcess(image)),
    process: images.filter(isProcess),
  };
}
