import {
  allCapabilities,
  SECBIT_NO_CAP_AMBIENT_RAISE,
  type Credentials,
  type Ids,
} from './credentials.ts';
import { refuse } from './refuse.ts';
import type { Caller, SystemCall, SystemCallOptions, SystemCalls, Words } from './system-call.ts';

const CAP_SETGID = 6;
const CAP_SETUID = 7;
const CAP_SETPCAP = 8;
const groupsMax = 65536;
/** _LINUX_CAPABILITY_VERSION_3 */
const capabilityVersion = 0x20080522;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_GET_SECUREBITS = 27;
const PR_SET_SECUREBITS = 28;
const PR_CAP_AMBIENT = 47;

/** Whoever changes ids cannot be looked into any more, and loses the parent-death signal. */
function becomeAnother({ process, thread }: Caller): void {
  process.dumpable = 0;
  thread.parentDeathSignal = 0;
}

/** Ids of setres*id(2); those that are all ones stay. @throws CkptError EPERM */
function wanted(before: Ids, args: Words, may: boolean): Ids {
  const pick = (index: number, old: number): number => {
    const id = args.unsigned(index);
    if (id === 0xffff_ffff) return old;
    const isOwn = [before.real, before.effective, before.saved].includes(id);
    return isOwn || may ? id : refuse('EPERM', `id ${id}`);
  };
  const effective = pick(1, before.effective);
  const real = pick(0, before.real);
  return { real, effective, saved: pick(2, before.saved), fs: effective };
}

const setresuid: SystemCall = (caller, args) => {
  const { credentials } = caller.thread;
  const before = credentials.uid;
  credentials.uid = wanted(before, args, credentials.can(CAP_SETUID));
  const { effective, fs } = credentials.uid;
  if (effective !== before.effective || fs !== before.fs) becomeAnother(caller);
  credentials.fixSetuid(before);
  return 0;
};

const setresgid: SystemCall = (caller, args) => {
  const { credentials } = caller.thread;
  const before = credentials.gid;
  credentials.gid = wanted(before, args, credentials.can(CAP_SETGID));
  const { effective, fs } = credentials.gid;
  if (effective !== before.effective || fs !== before.fs) becomeAnother(caller);
  return 0;
};

/** Returns the id that was before, whether it changed or not. */
function setFs(caller: Caller, args: Words, which: 'uid' | 'gid', capability: number): number {
  const { credentials } = caller.thread;
  const ids = credentials[which];
  const before = ids.fs;
  const id = args.unsigned(0);
  const isOwn = [ids.real, ids.effective, ids.saved, ids.fs].includes(id);
  if (id === 0xffff_ffff || id === before) return before;
  if (!isOwn && !credentials.can(capability)) return before;
  credentials[which] = { ...ids, fs: id };
  if (which === 'uid') credentials.fixSetfsuid(before);
  becomeAnother(caller);
  return before;
}

const setgroups: SystemCall = ({ process, thread }, args) => {
  const count = args.size(0);
  if (!thread.credentials.can(CAP_SETGID)) refuse('EPERM', 'groups');
  if (count > groupsMax) refuse('EINVAL', `${count} groups`);
  const view = process.user.view(args.word(1), count * 4);
  const groups = Array.from({ length: count }, (_, index) => view.getUint32(index * 4, true));
  thread.credentials.groups = groups.sort((a, b) => a - b);
  return 0;
};

const capset: SystemCall = ({ process, thread }, args) => {
  const header = process.user.view(args.word(0), 8);
  if (header.getUint32(0, true) !== capabilityVersion) refuse('EINVAL', 'another version');
  const pid = header.getInt32(4, true);
  if (pid !== 0 && pid !== thread.tid) refuse('EPERM', 'of another thread');
  const data = process.user.view(args.word(1), 24);
  const set = (index: number): bigint =>
    (BigInt(data.getUint32(index * 4, true)) |
      (BigInt(data.getUint32(12 + index * 4, true)) << 32n)) &
    allCapabilities;
  const [effective, permitted, inheritable] = [set(0), set(1), set(2)];
  const { capabilities: caps } = thread.credentials;
  const may = caps.inheritable | caps.permitted;
  if (!thread.credentials.can(CAP_SETPCAP) && (inheritable & ~may) !== 0n) refuse('EPERM');
  if ((inheritable & ~(caps.inheritable | caps.bounding)) !== 0n) refuse('EPERM', 'not bounded');
  if ((permitted & ~caps.permitted) !== 0n) refuse('EPERM', 'nobody gets more');
  if ((effective & ~permitted) !== 0n) refuse('EPERM', 'not permitted');
  Object.assign(caps, { effective, permitted, inheritable });
  caps.ambient &= permitted & inheritable;
  return 0;
};

function bit(args: Words, index: number): bigint {
  if (args.word(index) > 40n) refuse('EINVAL', `capability ${args.word(index).toString()}`);
  return 1n << args.word(index);
}

function raise({ capabilities: caps, securebits }: Credentials, wantedBit: bigint): number {
  if ((securebits & SECBIT_NO_CAP_AMBIENT_RAISE) !== 0) refuse('EPERM', 'secure bits forbid it');
  if ((caps.permitted & caps.inheritable & wantedBit) === 0n) refuse('EPERM', 'not inheritable');
  caps.ambient |= wantedBit;
  return 0;
}

function ambient({ thread: { credentials } }: Caller, args: Words): number {
  const caps = credentials.capabilities;
  switch (args.int(1)) {
    case 1:
      return (caps.ambient & bit(args, 2)) === 0n ? 0 : 1;
    case 2:
      return raise(credentials, bit(args, 2));
    case 3:
      caps.ambient &= ~bit(args, 2);
      return 0;
    case 4:
      caps.ambient = 0n;
      return 0;
    default:
      return refuse('EINVAL', `ambient ${args.int(1)}`);
  }
}

function setSecurebits({ thread: { credentials } }: Caller, args: Words): number {
  const next = args.unsigned(1);
  const before = credentials.securebits;
  // Locks are the bits beside what they lock.
  const locked = (before & 0xaaa) >> 1;
  const isChange = ((before ^ next) & locked) !== 0 || (before & 0xaaa & ~next) !== 0;
  if (isChange || (next & ~0xfff) !== 0 || !credentials.can(CAP_SETPCAP)) refuse('EPERM');
  credentials.securebits = next;
  return 0;
}

export const credentialCalls: SystemCalls = {
  setresuid,
  setresgid,
  setfsuid: (caller, args) => setFs(caller, args, 'uid', CAP_SETUID),
  setfsgid: (caller, args) => setFs(caller, args, 'gid', CAP_SETGID),
  setgroups,
  capset,
};

export const credentialPrctls: SystemCallOptions = new Map<number, SystemCall>([
  [
    PR_CAPBSET_READ,
    ({ thread }, args) =>
      (thread.credentials.capabilities.bounding & bit(args, 1)) === 0n ? 0 : 1,
  ],
  [
    PR_CAPBSET_DROP,
    ({ thread: { credentials } }, args) => {
      if (!credentials.can(CAP_SETPCAP)) refuse('EPERM', 'bounding set');
      credentials.capabilities.bounding &= ~bit(args, 1);
      return 0;
    },
  ],
  [PR_GET_SECUREBITS, ({ thread }) => thread.credentials.securebits],
  [PR_SET_SECUREBITS, setSecurebits],
  [PR_CAP_AMBIENT, ambient],
]);
