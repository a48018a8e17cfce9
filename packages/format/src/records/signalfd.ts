import { i32, reserved, u64 } from '../field.ts';
import { objref, signals } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

export const Signalfd = record('SIGNALFD', 314, 'A receiver of signals, signalfd(2).', {
  objref: i32('number of this object', objref),
  _pad: reserved(),
  mask: u64('signals that it receives', signals),
});
export type Signalfd = Infer<typeof Signalfd>;
