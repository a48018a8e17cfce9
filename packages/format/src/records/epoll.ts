import { i32, u32, u64 } from '../field.ts';
import { array } from '../follow.ts';
import { flags, hex, objref } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

/** linux/eventpoll.h */
export const epollEvents = {
  EPOLLIN: 1,
  EPOLLPRI: 2,
  EPOLLOUT: 4,
  EPOLLERR: 8,
  EPOLLHUP: 0x10,
  EPOLLNVAL: 0x20,
  EPOLLRDNORM: 0x40,
  EPOLLRDBAND: 0x80,
  EPOLLWRNORM: 0x100,
  EPOLLWRBAND: 0x200,
  EPOLLMSG: 0x400,
  EPOLLRDHUP: 0x2000,
  EPOLLEXCLUSIVE: 0x10000000,
  EPOLLWAKEUP: 0x20000000,
  EPOLLONESHOT: 0x40000000,
  EPOLLET: 0x80000000,
};

export const EpollItem = struct('epoll_item', 'A descriptor that is watched.', {
  fd: i32('number given to epoll_ctl(2)'),
  events: u32('what is waited for', flags(epollEvents, { others: true })),
  data: u64('of the user', hex),
  file: i32('objref of the FILE; fd may lead to another one by now', objref),
  ready: u32(
    'of an item that is off after EPOLLONESHOT: what its file was ready for (poll(2), revents)',
    flags(epollEvents, { others: true }),
  ),
});
export type EpollItem = Infer<typeof EpollItem>;

export const EpollItems = record(
  'EPOLL_ITEMS',
  308,
  'An interest list of epoll(7).',
  {
    objref: i32('number of this object', objref),
    count: u32('items'),
  },
  [array(EpollItem, 'one for each watched descriptor')],
);
export type EpollItems = Infer<typeof EpollItems>;
