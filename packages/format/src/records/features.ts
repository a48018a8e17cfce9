import { u64 } from '../field.ts';
import { hex } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

/** Bits of FEATURES.incompatible that this version understands. */
export const featuresKnown = 0n;

/** Changes that no record number and no length shows. */
export const Features = record(
  'FEATURES',
  801,
  'What a reader must know, and what it may ignore.',
  {
    incompatible: u64('a bit that the reader does not know makes it refuse the image', hex),
    compatible: u64('bits that a reader may pass over', hex),
  },
);
export type Features = Infer<typeof Features>;
