import type { ImageRecord, Resource, RestoreScope } from '@ckpt/engine';
import { Cred, Gid } from '@ckpt/format';
import { parseStatus, type Status } from '../procfs/status.ts';

/** Supplementary groups (linux/limits.h, NGROUPS_MAX). */
const groupsMax = 65536;

export type Credentials = Pick<Status, 'uid' | 'gid' | 'groups' | 'capabilities'>;

/** Credentials of an image in the form in which /proc tells them. @throws CkptError E2BIG */
export function credentialsOf(record: ImageRecord<Cred>): Credentials {
  const cred = record.value;
  const groups = record.arrayOf(Gid).map(({ gid }) => gid);
  if (groups.length > groupsMax) throw record.invalid('count', `${groups.length} groups`, 'E2BIG');
  return {
    uid: { real: cred.uid, effective: cred.euid, saved: cred.suid, fs: cred.fsuid },
    gid: { real: cred.gid, effective: cred.egid, saved: cred.sgid, fs: cred.fsgid },
    groups,
    capabilities: {
      inheritable: cred.inheritable,
      permitted: cred.permitted,
      effective: cred.effective,
      bounding: cred.bounding,
      ambient: cred.ambient,
    },
  };
}

/** True for what may do the same: ids that are never looked at for a permission may differ. */
export function sameRights(a: Credentials, b: Credentials): boolean {
  const rightsOf = ({ uid, gid, capabilities }: Credentials): string =>
    [uid.effective, uid.fs, gid.effective, gid.fs, capabilities.effective].join(' ');
  return rightsOf(a) === rightsOf(b) && sameGroups(a.groups, b.groups);
}

function groupList(groups: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(groups.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, gid] of groups.entries()) view.setUint32(index * 4, gid, true);
  return bytes;
}

const sameGroups = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((gid, index) => gid === b[index]);

/** Plans supplementary groups of a thread, unless they are those of the invoker. */
export function restoreGroups(
  scope: RestoreScope,
  record: ImageRecord<Cred>,
  section: 'rights' | 'wipe' | 'credentials',
  on: number,
): void {
  const { groups } = credentialsOf(record);
  const { self } = scope.system;
  if (self !== undefined && sameGroups(parseStatus(self.status).groups, groups)) return;
  const list = groups.length === 0 ? 0 : { blob: groupList(groups) };
  scope.call(section, record, 'setgroups', [groups.length, list], {
    on,
    what: `supplementary groups ${groups.join(' ')}`,
  });
}

/** True where the user lets an image open whatever the invoker can. */
export const isTrusted = (scope: RestoreScope): boolean => scope.options.trustImage === true;

function restore(scope: RestoreScope): void {
  if (isTrusted(scope)) return;
  const record = scope.document.one(Cred);
  const { uid, gid } = credentialsOf(record);
  const { self } = scope.system;
  const own = self === undefined ? undefined : parseStatus(self.status);
  restoreGroups(scope, record, 'rights', scope.pid);
  // These calls return the id that was before, and never fail: asked once more, they tell.
  const set = (name: 'setfsuid' | 'setfsgid', id: number): void => {
    scope.call('rights', record, name, [id]);
    scope.call('rights', record, name, [-1], { expect: id, what: `${name} ${id}` });
  };
  if (own?.gid.fs !== gid.fs) set('setfsgid', gid.fs);
  if (own?.uid.fs !== uid.fs) set('setfsuid', uid.fs);
}

/**
 * The rights that the task has for files, before the first is opened: what an image names, the
 * task must be able to open itself. The last of the kinds that plan something in this section:
 * others need the rights of the invoker there.
 */
export const rights: Resource = {
  kind: 'rights',
  records: [Cred],
  checkpoint() {
    // Credentials are in CRED.
  },
  restore,
};
