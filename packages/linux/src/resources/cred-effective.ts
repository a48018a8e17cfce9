import type { RestoreScope, Value } from '@ckpt/engine';
import { Cred } from '@ckpt/format';
import { parseStatus } from '../procfs/status.ts';
import { capsetArgs } from './cred-capabilities.ts';
import { credentialsOf, isTrusted, restoreGroups, sameRights } from './cred-rights.ts';

/** setresuid(2): leave it. */
const same = -1;

/**
 * Plans, in the section `wipe`, what is made with the rights that the restored task will have: the
 * effective ones alone, so that the invoker's come back behind it.
 */
export function withRights(scope: RestoreScope, make: () => void): void {
  const { self } = scope.system;
  const record = scope.document.one(Cred);
  const to = credentialsOf(record);
  const own = self === undefined ? undefined : parseStatus(self.status);
  if (own === undefined || sameRights(own, to)) {
    make();
    return;
  }
  const what = 'have the rights of the process for a moment';
  const call = (name: string, args: readonly Value[]): void => {
    scope.call('wipe', record, name, args, { what });
  };
  const { uid, gid, capabilities } = own;
  if (isTrusted(scope)) restoreGroups(scope, record, 'wipe', scope.pid);
  call('setresgid', [same, to.gid.effective, same]);
  call('setresuid', [same, to.uid.effective, same]);
  if (to.gid.fs !== to.gid.effective) call('setfsgid', [to.gid.fs]);
  if (to.uid.fs !== to.uid.effective) call('setfsuid', [to.uid.fs]);
  call('capset', capsetArgs({ ...capabilities, effective: to.capabilities.effective }));
  make();
  call('setresuid', [same, uid.effective, same]);
  call('capset', capsetArgs(capabilities));
  call('setresgid', [same, gid.effective, same]);
  if (isTrusted(scope)) return;
  // As before: files are opened with the rights of the process.
  call('setfsgid', [to.gid.fs]);
  call('setfsuid', [to.uid.fs]);
}
