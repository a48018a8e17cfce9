import { fileKinds, Path, Pipe } from '@ckpt/format';
import type { DescriptorKind } from './descriptor.ts';
import { statOf, thingOf } from './descriptor.ts';
import { O_NONBLOCK, O_PATH, O_RDWR } from './descriptor-flags.ts';
import { checkpointPath } from './path.ts';
import { accessOf } from './path-access.ts';
import { O_CLOEXEC, openPath } from './path-open.ts';
import { fileTypes, typeOf } from './path-type.ts';
import { reopen } from './pipe.ts';
import { checkpointRing, endOf, fillRing, sizeRing } from './pipe-ring.ts';

/**
 * A FIFO (fifo(7)): a pipe with a path, whose ends are both inside.
 *
 * Image: PATH, {@link Pipe}; the bytes in flight are in the store.
 */
export const fifo: DescriptorKind = {
  name: 'fifo',
  kind: fileKinds.fifo,
  records: [],

  claims(scope, description) {
    if (!description.link.startsWith('/') || (description.info.flags & O_PATH) !== 0) return false;
    const stat = statOf(scope, description);
    return stat !== undefined && typeOf(stat.mode) === fileTypes.fifo;
  },

  checkpoint(scope, description, table) {
    const stat = statOf(scope, description);
    if (stat === undefined) return undefined;
    const { link: name } = description;
    const facts = { thing: thingOf(description), name, stat, flags: 0, wanted: accessOf(O_RDWR) };
    const path = checkpointPath(scope, facts);
    if (path === undefined) return undefined;
    const object = checkpointRing(scope, description, table, path.objref);
    if (object === undefined) return undefined;
    return { object, trusted: path.trusted, end: endOf(description) };
  },

  restore(restoring, files) {
    const { scope, scratch, fillNow } = restoring;
    const [first] = files;
    if (first === undefined) return;
    const record = scope.document.object(first.value.object, Pipe, first);
    const path = scope.document.object(record.value.path, Path, record);
    if (typeOf(path.value.mode) !== fileTypes.fifo) {
      throw path.invalid('mode', `mode 0${path.value.mode.toString(8)} is none of a FIFO`);
    }
    // Whoever opens one end waits for the other, unless somebody has both.
    const flags = O_RDWR | O_NONBLOCK | O_CLOEXEC;
    const opened = openPath(scope, 'descriptors', record, path, flags);
    const number = scratch(1);
    scope.call('descriptors', record, 'dup3', [opened, number, O_CLOEXEC], { expect: number });
    scope.call('descriptors', record, 'close', [opened]);
    sizeRing(restoring, record, number);
    fillNow();
    fillRing(restoring, record, number);
    for (const file of files) reopen(restoring, file, number);
    scope.call('descriptors', record, 'close', [number]);
  },
};
