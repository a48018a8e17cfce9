import { fileKinds, Signalfd } from '@ckpt/format';
import { fieldOf } from '../procfs/fdinfo.ts';
import type { DescriptorKind } from './descriptor.ts';
import { refuse } from './descriptor.ts';
import { setStatus } from './descriptor-flags.ts';

/** Bytes of a signal set. */
const setSize = 8;

/**
 * A receiver of signals, signalfd(2). The signals themselves are pending for the process.
 *
 * Image: {@link Signalfd}.
 */
export const signalfd: DescriptorKind = {
  name: 'signalfd',
  kind: fileKinds.signalfd,
  records: [Signalfd],

  claims: (_scope, { link }) => link === 'anon_inode:[signalfd]',

  checkpoint(scope, description) {
    const mask = fieldOf(description.info, 'sigmask') ?? '';
    if (!/^[0-9a-f]+$/.test(mask)) {
      refuse(scope, description, {
        reason: 'the kernel does not tell which signals it receives',
        remedy: 'close it before the checkpoint',
      });
      return;
    }
    const { objref } = scope.objhash.of('signalfd', `${scope.task.pid}:${description.fd}`);
    scope.emit(Signalfd, { objref, _pad: 0, mask: BigInt(`0x${mask}`) });
    return { object: objref };
  },

  restore({ scope, place }, files) {
    for (const file of files) {
      const record = scope.document.object(file.value.object, Signalfd, file);
      const blob = new Uint8Array(setSize);
      new DataView(blob.buffer).setBigUint64(0, record.value.mask, true);
      const fd = scope.call('descriptors', record, 'signalfd4', [-1, { blob }, setSize, 0], {
        what: 'a receiver of signals',
      });
      setStatus(scope, file, fd);
      place(file, fd);
    }
  },
};
