import { i32, reserved, u32 } from '../field.ts';
import { array } from '../follow.ts';
import { record, struct, type Infer } from '../struct.ts';

export const TreeThread = struct('tree_thread', 'One thread of the tree.', {
  tid: i32('thread id, in the pid namespace of the writer'),
  tgid: i32('id of its thread group: the pid'),
  ppid: i32('pid of the parent'),
  pgid: i32('process group'),
  sid: i32('session'),
  creator: i32('tid of the thread that made it; 0: unknown'),
  depth: u32('pid namespaces below the one of the writer'),
  flags: reserved('zero: none are defined'),
});
export type TreeThread = Infer<typeof TreeThread>;

export const Tree = record(
  'TREE',
  102,
  'All tasks and threads.',
  {
    tasks: u32('thread groups'),
    threads: u32('threads, leaders included'),
  },
  [array(TreeThread, 'one for each thread')],
);
export type Tree = Infer<typeof Tree>;
