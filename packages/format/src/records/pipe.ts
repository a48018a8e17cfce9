import { i32, reserved, u32, u64 } from '../field.ts';
import { byteSize, objref, truth } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

/** Bytes of the ring are in the store. */
export const Pipe = record(
  'PIPE',
  310,
  'A pipe whose both ends are inside, with the bytes in flight, which are in the store.',
  {
    objref: i32('number of this object', objref),
    capacity: u32('size of the ring, bytes (fcntl(2), F_GETPIPE_SZ)', byteSize),
    pending: u32('bytes in flight; at most the capacity', byteSize),
    packets: u32('1: packet mode (pipe(2), O_DIRECT)', truth),
    index: u64('first page of them in the store'),
    path: i32('objref of the PATH of a FIFO; 0: made by pipe(2)', objref),
    _pad: reserved(),
  },
);
export type Pipe = Infer<typeof Pipe>;
