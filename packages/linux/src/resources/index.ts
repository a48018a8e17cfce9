import type { Resource } from '@ckpt/engine';
import { clocks } from './clocks.ts';
import { cred } from './cred.ts';
import { rights } from './cred-rights.ts';
import { fileTable } from './file-table.ts';
import { fs } from './fs.ts';
import { memory } from './memory.ts';
import { path } from './path.ts';
import { sighand } from './sighand.ts';
import { signal } from './signal.ts';
import { signalPending } from './signal-pending.ts';
import { task } from './task.ts';
import { thread } from './thread.ts';
import { timers } from './timers.ts';

/**
 * The kinds of kernel resource, in the order of the image: what others refer to comes first.
 * Memory is the first that stores pages, and is the first to be loaded.
 */
export const resources: readonly Resource[] = [
  clocks,
  path,
  cred,
  fs,
  memory,
  fileTable,
  sighand,
  signal,
  timers,
  task,
  signalPending,
  thread,
  rights,
];
