import { u32 } from '../field.ts';
import { byteSize } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

/** `count` elements of `element_size` bytes follow these fields in the same record. */
export const ArrayHeader = record(
  'ARRAY',
  803,
  'Elements that belong to the record before it; they follow these fields in the same record.',
  {
    count: u32('elements'),
    element_size: u32('bytes of each', byteSize),
  },
);
export type ArrayHeader = Infer<typeof ArrayHeader>;
