import { i32, u32, u64 } from '../field.ts';
import { objref, truth } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

export const Eventfd = record('EVENTFD', 311, 'A counter of eventfd(2).', {
  objref: i32('number of this object', objref),
  semaphore: u32('1: EFD_SEMAPHORE', truth),
  count: u64('value of the counter; at most 2^64 - 2'),
});
export type Eventfd = Infer<typeof Eventfd>;
