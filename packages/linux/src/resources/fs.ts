import type { Resource } from '@ckpt/engine';
import { Fs, Path } from '@ckpt/format';
import { parseStatus } from '../procfs/status.ts';
import { required } from './facts.ts';
import { checkpointLink } from './path.ts';
import { close, openDirectory } from './path-open.ts';
import { fileTypes, typeOf } from './path-type.ts';

/** Permission bits that a umask may hold. */
const umaskMax = 0o777;

/**
 * Working directory and umask.
 *
 * Image: {@link Fs}. A root directory of its own (chroot(2)) is refused with the namespaces.
 */
export const fs: Resource = {
  kind: 'fs',
  records: [Fs, Path],
  checkpoint(scope) {
    const { frozen, task } = scope;
    const cwd = checkpointLink(scope, 'working directory', 'cwd', 0) ?? 0;
    const { objref } = scope.objhash.of('fs', String(task.pid));
    const { umask } = parseStatus(required(frozen, task, 'status'));
    scope.emit(Fs, { objref, umask, cwd, root: 0 });
  },
  restore(scope) {
    const record = scope.document.one(Fs);
    const { umask, cwd, root } = record.value;
    if (umask > umaskMax) throw record.invalid('umask', `umask 0${umask.toString(8)}`);
    if (root !== 0) throw record.invalid('root', 'a root directory of its own', 'ENOSYS');
    const path = scope.document.object(cwd, Path, record);
    if (typeOf(path.value.mode) !== fileTypes.directory) {
      throw record.invalid('cwd', 'a working directory that is no directory');
    }
    const fd = openDirectory(scope, 'process', record, path);
    scope.call('process', record, 'fchdir', [fd], { what: 'enter the working directory' });
    close(scope, 'process', record, fd);
    scope.call('process', record, 'umask', [umask]);
  },
};
