import type { CheckpointScope } from '@ckpt/engine';
import type { Description } from './descriptor.ts';
import { refuse } from './descriptor.ts';

/** Descriptors by the beginnings of their links: what they are, and what to do about it. */
const known: readonly (readonly [link: string, what: string, remedy: string])[] = [
  ['anon_inode:[fanotify]', 'it watches file systems (fanotify(7))', 'close it'],
  ['anon_inode:[pidfd]', 'it leads to a process (pidfd_open(2))', 'close it'],
  ['anon_inode:[userfaultfd]', 'it serves page faults (userfaultfd(2))', 'close it'],
  ['anon_inode:[perf_event]', 'it counts events (perf_event_open(2))', 'stop the profiler'],
  ['anon_inode:bpf', 'it leads to a BPF object (bpf(2))', 'close it'],
  ['anon_inode:seccomp', 'it supervises system calls (seccomp(2))', 'close it'],
  ['anon_inode:kvm', 'it leads to a virtual machine (kvm)', 'shut the virtual machine down'],
  ['anon_inode:[landlock', 'it holds rules of landlock(7)', 'close it'],
  ['/secretmem', 'it is memory hidden even from the kernel (memfd_secret(2))', 'close it'],
];

/** Refuses what no kind carries, in the words of the manual where it is known. */
export function refuseUnclaimed(scope: CheckpointScope, description: Description): undefined {
  const { link } = description;
  const [, what, remedy] = known.find(([start]) => link.startsWith(start)) ?? [];
  const isNamespace = /^(cgroup|ipc|mnt|net|pid|time|user|uts)(_for_children)?:\[/.test(link);
  refuse(scope, description, {
    reason:
      what ??
      (isNamespace ? 'it leads to a namespace' : 'no kind of descriptor that can be carried'),
    remedy: remedy ?? 'close it before the checkpoint',
  });
}
