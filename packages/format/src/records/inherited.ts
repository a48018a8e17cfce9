import { bytes, i32, reserved, u32, u64 } from '../field.ts';
import { array } from '../follow.ts';
import { flags, objref, text } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';
import { openFlags } from './file.ts';

export const Holding = struct('holding', 'A descriptor of another process.', {
  pid: i32('of the process, as the checkpointer saw it'),
  fd: i32('number of its descriptor'),
  start_time: u64('clock ticks after boot (proc_pid_stat(5), starttime)'),
  flags: u32(
    'fcntl(2), F_GETFL',
    flags(openFlags, { zero: { name: 'O_RDONLY', mask: 0o10000003 } }),
  ),
  _pad: reserved(),
  comm: bytes(16, 'name of the process, padded with NUL', text),
});
export type Holding = Infer<typeof Holding>;

/** Its content stays where it is: in the kernel, for as long as somebody has the pipe open. */
export const Inherited = record(
  'INHERITED',
  316,
  'A pipe or FIFO that others hold, too: joined again through /proc while one of them lives.',
  {
    objref: i32('number of this object', objref),
    count: u32('descriptors of others that lead to it'),
    device: u64('st_dev of the pipe'),
    inode: u64('st_ino of the pipe'),
  },
  [array(Holding, 'where it may be joined, in the order in which they are tried')],
);
export type Inherited = Infer<typeof Inherited>;
