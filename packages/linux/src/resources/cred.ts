import type { CheckpointScope, ImageRecord, Resource, RestoreScope } from '@ckpt/engine';
import { Cred, Gid, Tree, TreeThread, capabilityName } from '@ckpt/format';
import { parseStatus, type Status } from '../procfs/status.ts';
import { bitsOf, restoreCapabilities } from './cred-capabilities.ts';
import { credentialsOf, isTrusted, restoreGroups, type Credentials } from './cred-rights.ts';
import { required } from './facts.ts';

/** prctl(2) */
const PR_GET_SECUREBITS = 27;
const PR_SET_SECUREBITS = 28;
/** linux/securebits.h: changes of user ids leave capabilities alone. */
const SECBIT_NO_SETUID_FIXUP = 4;

/** capabilities(7): what it takes to become somebody else. */
const CAP_SETGID = 6;
const CAP_SETUID = 7;
const CAP_SETPCAP = 8;

/** All but capabilities, for a comparison. */
const idText = ({ uid, gid, groups }: Credentials): string =>
  JSON.stringify([Object.values(uid), Object.values(gid), groups]);

const text = (credentials: Credentials): string =>
  [idText(credentials), ...Object.values(credentials.capabilities)].join(' ');

function checkpoint(scope: CheckpointScope): void {
  const { frozen, task, objhash } = scope;
  const status = parseStatus(required(frozen, task, 'status'));
  for (const { tid } of task.threads) {
    const own = parseStatus(required(frozen, task, `task/${tid}/status`));
    if (text(own) === text(status)) continue;
    scope.refuse({
      thing: `thread ${tid}`,
      reason: 'it has other credentials than the first thread',
      remedy: 'set them for all threads (setuid(2) of a C library does)',
    });
  }
  const { objref } = objhash.of('cred', String(task.pid));
  const [securebits] = scope.answers();
  scope.emit(Cred, {
    objref,
    securebits: Number(securebits?.result ?? 0n),
    uid: status.uid.real,
    euid: status.uid.effective,
    suid: status.uid.saved,
    fsuid: status.uid.fs,
    gid: status.gid.real,
    egid: status.gid.effective,
    sgid: status.gid.saved,
    fsgid: status.gid.fs,
    ...status.capabilities,
  });
  scope.emitArray(
    Gid,
    status.groups.map((gid) => ({ gid })),
  );
}

/** "CAP_KILL, CAP_SYS_ADMIN" */
const names = (set: bigint): string =>
  bitsOf(set)
    .map((bit) => capabilityName(bit) ?? `capability ${bit}`)
    .join(', ');

/** Nothing in an image may do more than whoever restarts it. */
function checkInvoker(
  scope: RestoreScope,
  record: ImageRecord<Cred>,
  to: Credentials,
  own: Status,
): void {
  const { permitted, effective } = own.capabilities;
  const beyond = (to.capabilities.permitted | to.capabilities.inheritable) & ~permitted;
  if (beyond !== 0n) {
    throw record.invalid(
      'permitted',
      `the process had ${names(beyond)}, which the invoker has not: restart it with more privilege`,
      'EPERM',
    );
  }
  const needed = [CAP_SETGID, CAP_SETUID, CAP_SETPCAP];
  const may = needed.every((bit) => bitsOf(effective).includes(bit));
  if (!may && idText(to) !== idText(own)) {
    throw record.invalid(
      'uid',
      `the process was of user ${to.uid.effective} and group ${to.gid.effective}, ` +
        `the invoker is ${own.uid.effective} and ${own.gid.effective}: restart it as that user`,
      'EPERM',
    );
  }
  const lost = to.capabilities.bounding & ~own.capabilities.bounding;
  if (lost !== 0n) {
    scope.note(`programs that it executes will not get ${names(lost)}, as the invoker's do not`);
  }
}

/** Credentials belong to a thread: every one sets its own. */
function restoreThreadIds(
  scope: RestoreScope,
  record: ImageRecord<Cred>,
  to: Credentials,
  on: number,
): void {
  const { call } = scope;
  const { uid, gid } = to;
  call('credentials', record, 'prctl', [PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0], {
    on,
    what: 'keep capabilities while user ids change',
  });
  const gids = [gid.real, gid.effective, gid.saved];
  call('credentials', record, 'setresgid', gids, { on, what: `group ids ${gids.join(' ')}` });
  const uids = [uid.real, uid.effective, uid.saved];
  call('credentials', record, 'setresuid', uids, { on, what: `user ids ${uids.join(' ')}` });
  if (gid.fs !== gid.effective) call('credentials', record, 'setfsgid', [gid.fs], { on });
  if (uid.fs !== uid.effective) call('credentials', record, 'setfsuid', [uid.fs], { on });
}

/** Every capability that there may be, where the invoker's are not known. */
const allCapabilities = (1n << 41n) - 1n;

function restore(scope: RestoreScope): void {
  const record = scope.document.one(Cred);
  const to = credentialsOf(record);
  const { self } = scope.system;
  const own = self === undefined ? undefined : parseStatus(self.status);
  if (own !== undefined) checkInvoker(scope, record, to, own);
  const have = own?.capabilities.bounding ?? allCapabilities;
  const bounding = to.capabilities.bounding & have;
  const given = { ...to, capabilities: { ...to.capabilities, bounding } };
  const same = own !== undefined && text(own) === text(given);
  if (same && record.value.securebits === 0) return;
  for (const { tid } of scope.document.one(Tree).arrayOf(TreeThread)) {
    if (isTrusted(scope)) restoreGroups(scope, record, 'credentials', tid);
    restoreThreadIds(scope, record, to, tid);
    restoreCapabilities(scope, record, given.capabilities, bitsOf(have & ~bounding), tid);
  }
}

/**
 * User and group ids, supplementary groups, capabilities, secure bits; the same for all threads.
 *
 * Image: {@link Cred}, then its groups. Not saved: keyrings, labels of security modules.
 */
export const cred: Resource = {
  kind: 'credentials',
  records: [Cred],
  asksTask: [{ call: 'prctl', args: [PR_GET_SECUREBITS, 0, 0, 0, 0] }],
  checkpoint,
  restore,
};
