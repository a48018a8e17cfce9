import { Eventfd, fileKinds } from '@ckpt/format';
import { fieldOf } from '../procfs/fdinfo.ts';
import type { DescriptorKind } from './descriptor.ts';
import { refuse, thingOf } from './descriptor.ts';
import { setStatus } from './descriptor-flags.ts';

/** sys/eventfd.h */
const EFD_SEMAPHORE = 1;
/** What eventfd2(2) takes. */
const initialMax = 0xffff_ffffn;
/** No write(2) gets further. */
const countMax = 0xffff_ffff_ffff_fffen;

function wordOf(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

/**
 * A counter of eventfd(2).
 *
 * Image: {@link Eventfd}.
 */
export const eventfd: DescriptorKind = {
  name: 'eventfd',
  kind: fileKinds.eventfd,
  records: [Eventfd],

  claims: (_scope, { link }) => link === 'anon_inode:[eventfd]',

  checkpoint(scope, description) {
    const count = fieldOf(description.info, 'eventfd-count');
    const semaphore = fieldOf(description.info, 'eventfd-semaphore');
    if (count === undefined || !/^[0-9a-f]+$/.test(count)) {
      refuse(scope, description, {
        reason: 'this kernel does not tell its counter',
        remedy: 'close it before the checkpoint',
      });
      return;
    }
    if (semaphore === undefined) {
      scope.note(
        `${thingOf(description)} is taken as a plain counter: only Linux 6.5 and newer tell semaphores`,
      );
    }
    const { objref } = scope.objhash.of('eventfd', `${scope.task.pid}:${description.fd}`);
    scope.emit(Eventfd, { objref, semaphore: Number(semaphore ?? 0), count: BigInt(`0x${count}`) });
    return { object: objref };
  },

  restore({ scope, place }, files) {
    for (const file of files) {
      const record = scope.document.object(file.value.object, Eventfd, file);
      const { semaphore, count } = record.value;
      if (semaphore > 1) throw record.invalid('semaphore', `${semaphore} is neither 0 nor 1`);
      if (count > countMax) throw record.invalid('count', `${count.toString()} is over 2^64 - 2`);
      const flags = semaphore === 1 ? EFD_SEMAPHORE : 0;
      const most = count > initialMax ? 0n : count;
      const fd = scope.call('descriptors', record, 'eventfd2', [most, flags], {
        what: 'an eventfd',
      });
      if (count > initialMax) {
        const args = [fd, { blob: wordOf(count) }, 8];
        scope.call('descriptors', record, 'write', args, {
          expect: 8,
          what: 'count of an eventfd',
        });
      }
      setStatus(scope, file, fd);
      place(file, fd);
    }
  },
};
