import type { Answer, Call, CheckpointScope, ImageRecord } from '@ckpt/engine';
import { openFlags, ownerTypes, type File } from '@ckpt/format';
import { parseStat } from '../procfs/stat.ts';
import type { Description, Restoring } from './descriptor.ts';
import { refuse, statOf } from './descriptor.ts';
import { O_PATH, setFlags } from './descriptor-flags.ts';
import { required } from './facts.ts';
import { fileTypes, typeOf } from './path-type.ts';

/** fcntl(2) */
const F_GETOWN = 9;
const F_SETSIG = 10;
const F_GETSIG = 11;
const F_SETOWN_EX = 15;
const F_GETOWN_EX = 16;
/** Bytes of struct f_owner_ex: type and number. */
const ownerSize = 8;
const signalMax = 64;

/** Who gets signals about a description, and which: fields of FILE. */
export type Owner = Pick<File, 'owner' | 'owner_type' | 'signal'>;

export const nobody: Owner = { owner: 0, owner_type: 0, signal: 0 };

/** Regular files are never ready, and 10,000 of them are not asked. */
function mayHave(scope: CheckpointScope, description: Description): boolean {
  if ((description.info.flags & O_PATH) !== 0) return false;
  if (!description.link.startsWith('/')) return true;
  const stat = statOf(scope, description);
  return stat !== undefined && typeOf(stat.mode) !== fileTypes.regular;
}

function ownerOf(answer: Answer | undefined, signal: number): Owner {
  const [bytes] = answer?.out ?? [];
  if (answer?.result !== 0n || bytes?.length !== ownerSize) return { ...nobody, signal };
  const view = new DataView(bytes.buffer, bytes.byteOffset, ownerSize);
  return { owner_type: view.getInt32(0, true), owner: view.getInt32(4, true), signal };
}

/** Asks the task itself about all of its descriptions; those without an owner are left out. */
export function readOwners(
  scope: CheckpointScope,
  descriptions: readonly Description[],
): ReadonlyMap<Description, Owner> {
  const { frozen, task } = scope;
  const [leader] = task.threads;
  const asked = descriptions.filter((description) => mayHave(scope, description));
  if (leader === undefined || asked.length === 0) return new Map();
  const fcntl = (fd: number, command: number, ...more: Call['args']): Call => ({
    call: 'fcntl',
    args: [fd, command, ...more],
  });
  const answers = frozen.ask(
    task,
    leader,
    asked.flatMap(({ fd }) => [fcntl(fd, F_GETOWN), fcntl(fd, F_GETSIG)]),
  );
  const found = asked.flatMap((description, index) => {
    const signal = Number(answers[2 * index + 1]?.result ?? 0n);
    // A group is told as a negative number, which is no error here.
    const owned = (answers[2 * index]?.result ?? 0n) !== 0n;
    return owned || signal > 0 ? [{ description, signal: Math.max(signal, 0) }] : [];
  });
  if (found.length === 0) return new Map();
  const owners = frozen.ask(
    task,
    leader,
    found.map(({ description: { fd } }) => fcntl(fd, F_GETOWN_EX, { out: ownerSize })),
  );
  return new Map(
    found.map(({ description, signal }, index) => [description, ownerOf(owners[index], signal)]),
  );
}

/** True for an owner that there is after a restart, too; refused otherwise. */
export function isOwn(
  scope: CheckpointScope,
  description: Description,
  { owner, owner_type: type }: Owner,
): boolean {
  if (owner === 0) return true;
  const { task, frozen } = scope;
  const stat = statOf(scope, description);
  if (stat !== undefined && typeOf(stat.mode) === fileTypes.directory) {
    refuse(scope, description, {
      reason: 'changes of the directory may be told by signals (fcntl(2) F_NOTIFY)',
      remedy: 'close the directory before the checkpoint',
    });
    return false;
  }
  const { pgid } = parseStat(required(frozen, task, 'stat'));
  const own =
    type === ownerTypes.TID
      ? task.threads.some(({ tid }) => tid === owner)
      : owner === task.pid && (type === ownerTypes.PID || pgid === task.pid);
  if (own) return true;
  const group = type === ownerTypes.PGRP ? 'process group' : 'process';
  refuse(scope, description, {
    reason: `its signals go to ${group} ${owner} (fcntl(2) F_SETOWN)`,
    remedy: 'fcntl(fd, F_SETOWN, 0) before the checkpoint',
  });
  return false;
}

function ownerBytes({ owner, owner_type: type }: Owner): Uint8Array {
  const bytes = new Uint8Array(ownerSize);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, type, true);
  view.setInt32(4, owner, true);
  return bytes;
}

/** Plans who gets signals about a description, when all threads are there; O_ASYNC at last. */
export function restoreOwner({ scope, fdOf }: Restoring, file: ImageRecord<File>): void {
  const { owner, owner_type: type, signal, flags } = file.value;
  if (owner < 0 || type > ownerTypes.PGRP || signal > signalMax) {
    throw file.invalid('owner', `signal ${signal} for ${owner} of type ${type}`);
  }
  const fd = fdOf(file) ?? -1;
  const call = (what: string, ...args: Parameters<typeof scope.call>[3]): void => {
    scope.call('last', file, 'fcntl', [fd, ...args], { what: `${what} of descriptor ${fd}` });
  };
  if (signal !== 0) call('the signal', F_SETSIG, signal);
  if (owner !== 0) call('who gets signals', F_SETOWN_EX, { blob: ownerBytes(file.value) });
  if ((flags & openFlags.FASYNC) === 0) return;
  // Whoever opened it with the flag has the flag, and no signals: off first.
  call('signals', ...setFlags(flags & ~openFlags.FASYNC));
  call('signals', ...setFlags(flags));
}
