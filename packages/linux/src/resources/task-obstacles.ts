import type { CheckpointScope } from '@ckpt/engine';
import { decodeText } from '@ckpt/io';
import { parseStat, type Stat } from '../procfs/stat.ts';
import { parseStatus } from '../procfs/status.ts';

/** Links of /proc/PID/ns, and what to say of another one than ours. */
const namespaces: Readonly<Record<string, string>> = {
  cgroup: 'cgroup',
  ipc: 'IPC',
  mnt: 'mount',
  net: 'network',
  pid: 'pid',
  pid_for_children: 'pid (of its children)',
  user: 'user',
  uts: 'UTS',
};

/** A word that a shell takes as it stands. */
const shellWord = (text: string): string =>
  /^[\w./+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

function refuseNamespaces({ frozen, task, system, refuse }: CheckpointScope): void {
  const own = system.self?.namespaces;
  if (own === undefined) return;
  const status = decodeText(frozen.read(task, 'status') ?? new Uint8Array(0));
  // What the task is called in the namespace it lives in stands last (proc_pid_status(5)).
  const innerPid = /^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? `${task.pid}`;
  for (const [link, name] of Object.entries(namespaces)) {
    const theirs = frozen.link(task, `ns/${link}`);
    const ours = own[link];
    if (theirs === undefined || ours === undefined || theirs === ours) continue;
    refuse({
      thing: `${name} namespace`,
      reason: `it is in ${theirs}, the checkpointer in ${ours}`,
      remedy: `nsenter --target ${task.pid} --all -- ckpt checkpoint ${innerPid}`,
    });
  }
}

/** Pids of the children of all threads. */
function children({ frozen, task }: CheckpointScope): readonly number[] {
  return task.threads.flatMap(({ tid }) => {
    const bytes = frozen.read(task, `task/${tid}/children`);
    if (bytes === undefined) return [];
    return decodeText(bytes).split(' ').filter(Boolean).map(Number);
  });
}

function refuseChildren(scope: CheckpointScope): void {
  for (const pid of children(scope)) {
    // Beside the task's own directory: the host reads below /proc.
    const bytes = scope.frozen.read(scope.task, `../${pid}/stat`);
    const stat: Partial<Stat> = bytes === undefined ? {} : parseStat(bytes);
    const name = stat.comm === undefined ? '' : ` (${stat.comm})`;
    const dead = stat.state === 'Z';
    scope.refuse({
      thing: `child ${pid}${name}`,
      reason: dead
        ? 'it has ended, and its parent has not waited for it'
        : 'one process is checkpointed, and this is another',
      remedy: dead
        ? 'checkpoint after the parent has waited'
        : 'checkpoint when the child has ended',
    });
  }
}

/** What threads have of their own, and an image has once for all of them. */
const perProcess = {
  files: 'descriptors of its own (CLONE_FILES)',
  fs: 'a working directory and umask of its own (CLONE_FS)',
} as const;

function refuseUnshared({ frozen, task, refuse }: CheckpointScope): void {
  for (const thread of task.threads) {
    for (const what of frozen.unshared?.(task, thread) ?? []) {
      refuse({
        thing: `thread ${thread.tid}`,
        reason: `it has ${perProcess[what]}`,
        remedy: 'checkpoint when the thread has ended, or run it as a program of its own',
      });
    }
  }
}

/** What all of a process is, and cannot be carried. */
export function refuseTask(scope: CheckpointScope, stat: Stat): void {
  const { frozen, task } = scope;
  const thing = `process ${task.pid} (${stat.comm})`;
  const status = parseStatus(frozen.read(task, 'status') ?? new Uint8Array(0));
  if (stat.state === 'Z') {
    scope.refuse({
      thing,
      reason: 'its first thread has ended, others run on',
      remedy: 'let the first thread wait for the others (pthread_join(3))',
    });
  }
  if (status.seccomp !== 0) {
    scope.refuse({
      thing,
      reason: 'a seccomp filter is set, and cannot be read back',
      remedy: 'start the program without it: containers have a security option for that',
    });
  }
  const root = frozen.link(task, 'root');
  if (root !== undefined && root !== '/') {
    scope.refuse({
      thing: `root directory ${root}`,
      reason: 'the process has a root directory of its own (chroot(2))',
      remedy: `chroot ${shellWord(root)} ckpt checkpoint ${task.pid}`,
    });
  }
  refuseNamespaces(scope);
  refuseChildren(scope);
  refuseUnshared(scope);
}
