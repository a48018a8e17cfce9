import { i32, reserved, u32 } from '../field.ts';
import { array } from '../follow.ts';
import { flags, objref } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

/** sys/inotify.h */
export const inotifyEvents = {
  IN_ACCESS: 1,
  IN_MODIFY: 2,
  IN_ATTRIB: 4,
  IN_CLOSE_WRITE: 8,
  IN_CLOSE_NOWRITE: 0x10,
  IN_OPEN: 0x20,
  IN_MOVED_FROM: 0x40,
  IN_MOVED_TO: 0x80,
  IN_CREATE: 0x100,
  IN_DELETE: 0x200,
  IN_DELETE_SELF: 0x400,
  IN_MOVE_SELF: 0x800,
  IN_EXCL_UNLINK: 0x4000000,
  IN_ONESHOT: 0x80000000,
};

export const InotifyWatch = struct('inotify_watch', 'A file or directory that is watched.', {
  wd: i32('watch descriptor: what events are told with'),
  mask: u32('what is told', flags(inotifyEvents)),
  path: i32('objref of PATH', objref),
  _pad: reserved(),
});
export type InotifyWatch = Infer<typeof InotifyWatch>;

export const Inotify = record(
  'INOTIFY',
  318,
  'A watch list of inotify(7).',
  {
    objref: i32('number of this object', objref),
    count: u32('watches'),
  },
  [array(InotifyWatch, 'ascending by watch descriptor')],
);
export type Inotify = Infer<typeof Inotify>;
