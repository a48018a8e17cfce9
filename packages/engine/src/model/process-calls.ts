import { PathFile } from './path-file.ts';
import { S_IFDIR } from './file-system.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCall, SystemCallOptions, SystemCalls, Words } from './system-call.ts';

/** prctl(2) */
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_GET_TSC = 25;
const PR_MCE_KILL = 33;
const PR_MCE_KILL_GET = 34;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_CHILD_SUBREAPER = 37;
const PR_SET_THP_DISABLE = 41;
const PR_GET_THP_DISABLE = 42;
const PR_GET_IO_FLUSHER = 58;
const PR_GET_MDWE = 66;
const PR_GET_MEMORY_MERGE = 68;
const CAP_SYS_RESOURCE = 24;
const RLIMIT_NOFILE = 7;
/** fs.nr_open */
const descriptorsMax = 1n << 20n;

function prlimit64({ process, thread }: Caller, args: Words): number {
  const resource = args.unsigned(1);
  if (args.int(0) !== 0 && args.int(0) !== process.pid) throw new Unmodelled('limits of others');
  if (resource > 15) refuse('EINVAL', `resource ${resource}`);
  const before = process.limits.at(resource);
  if (args.word(2) !== 0n) {
    const view = process.user.view(args.word(2), 16);
    const next = { soft: view.getBigUint64(0, true), hard: view.getBigUint64(8, true) };
    if (next.soft > next.hard) refuse('EINVAL', 'soft over hard');
    if (resource === RLIMIT_NOFILE && next.hard > descriptorsMax) refuse('EPERM', 'fs.nr_open');
    if (next.hard > before.hard && !thread.credentials.can(CAP_SYS_RESOURCE)) {
      refuse('EPERM', 'only who may use all resources may raise limits');
    }
    process.limits.set(resource, next);
  }
  if (args.word(3) !== 0n) {
    process.user.put(args.word(3), 16, (view) => {
      view.setBigUint64(0, before.soft, true);
      view.setBigUint64(8, before.hard, true);
    });
  }
  return 0;
}

function fchdir({ process }: Caller, args: Words): number {
  const { object } = process.table.at(args.int(0)).file;
  if (!(object instanceof PathFile)) return refuse('ENOTDIR', 'no directory');
  if (object.inode.type !== S_IFDIR) refuse('ENOTDIR', `${object.link()} is no directory`);
  process.cwd = object.entry;
  return 0;
}

export const processCalls: SystemCalls = {
  prlimit64,
  fchdir,
  umask: ({ process }, args) => {
    const before = process.umask;
    process.umask = args.int(0) & 0o777;
    return before;
  },
  personality: ({ process }, args) => {
    const before = process.personality;
    if (args.unsigned(0) !== 0xffff_ffff) process.personality = args.unsigned(0);
    return before;
  },
  setsid: ({ process }) => {
    if (process.group === process.pid) refuse('EPERM', 'it leads a process group already');
    process.session = process.group = process.pid;
    process.terminal = 0;
    return process.pid;
  },
  setpgid: ({ process }, args) => {
    const pid = args.int(0) === 0 ? process.pid : args.int(0);
    const group = args.int(1) === 0 ? pid : args.int(1);
    if (pid !== process.pid) throw new Unmodelled('process groups of others');
    if (process.session === process.pid) refuse('EPERM', 'it leads a session');
    if (group !== process.pid && group !== process.group) refuse('EPERM', 'no such group');
    process.group = group;
    return 0;
  },
};

const noRest = (args: Words, from: number): void => {
  for (let index = from; index < 5; index++) if (args.word(index) !== 0n) refuse('EINVAL');
};

const putInt =
  (of: (caller: Caller) => number): SystemCall =>
  (caller, args) => {
    caller.process.user.putInt(args.word(1), of(caller));
    return 0;
  };

const thpDisable: SystemCall = ({ process }, args) => {
  noRest(args, 3);
  const flags = args.int(2);
  if (args.word(1) === 0n && flags !== 0) refuse('EINVAL', 'flags of nothing');
  if ((flags & ~2) !== 0) refuse('EINVAL', `flags ${flags}`);
  process.thpDisable = args.word(1) === 0n ? 0 : 1 | flags;
  return 0;
};

const mceKill: SystemCall = ({ process }, args) => {
  noRest(args, 3);
  if (args.int(1) === 0) {
    noRest(args, 2);
    process.mceKill = 2;
    return 0;
  }
  if (args.int(1) !== 1 || args.word(2) > 2n) refuse('EINVAL', 'memory failure policy');
  process.mceKill = args.int(2);
  return 0;
};

export const processPrctls: SystemCallOptions = new Map<number, SystemCall>([
  [PR_GET_DUMPABLE, ({ process }) => process.dumpable],
  [
    PR_SET_DUMPABLE,
    ({ process }, args) => {
      if (args.word(1) > 1n) refuse('EINVAL', 'only yes and no');
      process.dumpable = args.int(1);
      return 0;
    },
  ],
  [PR_GET_TSC, putInt(() => 1)],
  [PR_MCE_KILL, mceKill],
  [PR_MCE_KILL_GET, ({ process }) => process.mceKill],
  [
    PR_SET_CHILD_SUBREAPER,
    ({ process }, args) => {
      process.subreaper = args.word(1) === 0n ? 0 : 1;
      return 0;
    },
  ],
  [PR_GET_CHILD_SUBREAPER, putInt(({ process }) => process.subreaper)],
  [PR_SET_THP_DISABLE, thpDisable],
  [PR_GET_THP_DISABLE, ({ process }) => process.thpDisable],
  [
    PR_GET_IO_FLUSHER,
    ({ thread }) => (thread.credentials.can(CAP_SYS_RESOURCE) ? 0 : refuse('EPERM', 'I/O flusher')),
  ],
  [PR_GET_MDWE, () => 0],
  [PR_GET_MEMORY_MERGE, () => 0],
]);
