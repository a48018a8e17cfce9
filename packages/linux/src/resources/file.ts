import type { CheckpointScope, FileStat, ImageRecord } from '@ckpt/engine';
import { fileKinds, Path, pathFlags, type File } from '@ckpt/format';
import type { Description, DescriptorKind } from './descriptor.ts';
import { refuse, statOf, thingOf } from './descriptor.ts';
import { O_PATH } from './descriptor-flags.ts';
import { restoreUnnamed } from './file-unnamed.ts';
import { seek } from './file-seek.ts';
import { checkpointPath } from './path.ts';
import { accessOf } from './path-access.ts';
import { isKernelMemory, kernelMemory } from './path-kernel.ts';
import { openPath } from './path-open.ts';
import { fileTypes, typeName, typeOf } from './path-type.ts';
import { isUnnamed } from './unnamed-map.ts';

/** Character devices without a state of their own (drivers/char/mem.c): major 1, by minor. */
const memoryDevices = new Set([0x103n, 0x105n, 0x107n, 0x108n, 0x109n]);

/** What makes a device another one than a newly opened one would be. */
const devices: readonly (readonly [prefix: string, reason: string, remedy: string])[] = [
  ['/dev/ptmx', 'it is the far side of a terminal that somebody else uses', 'close the terminal'],
  [
    '/dev/pts/ptmx',
    'it is the far side of a terminal that somebody else uses',
    'close the terminal',
  ],
  ['/dev/nvidia', 'it leads into a graphics processor', 'run without it'],
  ['/dev/dri/', 'it leads into a graphics processor', 'run without it'],
  ['/dev/net/tun', 'it is a network interface', 'close it'],
  ['/dev/kvm', 'it leads to a virtual machine', 'shut the virtual machine down'],
];

/** True for what the kind takes; refused otherwise. */
function isCarried(scope: CheckpointScope, description: Description, stat: FileStat): boolean {
  const { link, info } = description;
  const type = typeOf(stat.mode);
  if (isKernelMemory(link, stat)) {
    refuse(scope, description, kernelMemory);
    return false;
  }
  const isOpened = (info.flags & O_PATH) === 0;
  if (type === fileTypes.link || (type === fileTypes.socket && isOpened)) {
    refuse(scope, description, {
      reason: `it is ${typeName(stat.mode)}, not what it leads to`,
      remedy: 'close it before the checkpoint',
    });
    return false;
  }
  if (type !== fileTypes.character || !isOpened || memoryDevices.has(stat.rdev)) return true;
  const [, reason, remedy] = devices.find(([prefix]) => link.startsWith(prefix)) ?? [];
  refuse(scope, description, {
    reason: reason ?? 'it is a device with a state of its own',
    remedy: remedy ?? 'close the device before the checkpoint',
  });
  return false;
}

function isSeekable(path: ImageRecord<Path>, file: ImageRecord<File>): boolean {
  const type = typeOf(path.value.mode);
  const types: readonly number[] = [fileTypes.regular, fileTypes.block, fileTypes.directory];
  return (file.value.flags & O_PATH) === 0 && types.includes(type);
}

/**
 * A file by its path: regular, directory, device node, or only reached (O_PATH). A file that was
 * deleted comes back with its content, under no name.
 *
 * Image: {@link Path}, its name. Not saved: the content of a file that has its name.
 */
export const file: DescriptorKind = {
  name: 'path',
  kind: fileKinds.path,
  records: [],

  claims: (_scope, { link }) => link.startsWith('/') && !link.startsWith('/secretmem'),

  checkpoint(scope, description, table) {
    const { link: name, info, fd } = description;
    const stat = statOf(scope, description);
    if (stat === undefined) {
      refuse(scope, description, {
        reason: 'its file cannot be looked at',
        remedy: 'checkpoint as root, or as the user who runs the process',
      });
      return;
    }
    if (!isCarried(scope, description, stat)) return undefined;
    const path = checkpointPath(scope, {
      thing: thingOf(description),
      name,
      stat,
      flags: table.isWritten(description) ? pathFlags.WRITTEN : 0,
      wanted: accessOf(info.flags),
      contents: `fd/${fd}`,
    });
    if (path === undefined) return undefined;
    return { object: path.objref, trusted: path.trusted, position: info.position };
  },

  restore(restoring, files) {
    const { scope, place } = restoring;
    const [first] = files;
    if (first === undefined) return;
    const path = scope.document.object(first.value.object, Path, first);
    if (isUnnamed(scope, path)) {
      restoreUnnamed(restoring, path, files);
      return;
    }
    for (const each of files) {
      const fd = openPath(scope, 'descriptors', each, path, each.value.flags);
      if (isSeekable(path, each)) seek(restoring, each, fd);
      place(each, fd);
    }
  },
};
