import { i32, reserved, u64 } from '../field.ts';
import { byteSize, device, objref } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

/** Memory shared through one object: shared anonymous mappings of one origin, memfd. */
export const Shm = record('SHM', 406, 'A memory object that several mappings share.', {
  objref: i32('number of this object', objref),
  flags: reserved('zero: none are defined'),
  size: u64('bytes', byteSize),
  device: u64("st_dev of the kernel's own file system", device),
  inode: u64('st_ino there: tells the mappings of one object'),
});
export type Shm = Infer<typeof Shm>;
