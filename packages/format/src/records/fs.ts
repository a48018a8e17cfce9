import { i32, u32 } from '../field.ts';
import { objref, octal } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

export const Fs = record('FS', 451, 'Working directory, root and umask.', {
  objref: i32('number of this object', objref),
  umask: u32('umask(2)', octal),
  cwd: i32('objref of PATH', objref),
  root: i32('objref of PATH; 0: the root of the writer', objref),
});
export type Fs = Infer<typeof Fs>;
