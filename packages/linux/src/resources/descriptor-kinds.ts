import type { DescriptorKind } from './descriptor.ts';
import { epoll } from './epoll.ts';
import { eventfd } from './eventfd.ts';
import { inotify } from './inotify.ts';
import { fifo } from './fifo.ts';
import { file } from './file.ts';
import { inherited } from './inherited.ts';
import { ioUring } from './io-uring.ts';
import { pipe } from './pipe.ts';
import { signalfd } from './signalfd.ts';
import { socket } from './socket.ts';
import { timerfd } from './timerfd.ts';
import { tty } from './tty.ts';

/** The first that claims a descriptor has it: `file` takes every path that is left. */
export const descriptorKinds: readonly DescriptorKind[] = [
  inherited,
  pipe,
  eventfd,
  epoll,
  socket,
  ioUring,
  timerfd,
  signalfd,
  inotify,
  tty,
  fifo,
  file,
];
