import type { CheckpointScope, FileStat } from '@ckpt/engine';
import { CkptError, pathFlags, protections, vmaKinds } from '@ckpt/format';
import type { Mapping } from '../procfs/smaps.ts';
import { checkpointPath } from './path.ts';
import { fileTypes, typeOf } from './path-type.ts';
import { maximumOf } from './vma-flags.ts';

const hex = (address: bigint): string => address.toString(16);

/** "mapping 7f0000000000-7f0000001000: /lib/libc.so.6" */
export function describe({ start, end, name }: Mapping): string {
  return `mapping ${hex(start)}-${hex(end)}${name === '' ? '' : `: ${name}`}`;
}

/** /dev/zero, whose private mappings are anonymous memory. */
const zeroDevice = 0x105n;

function throughMapping(scope: CheckpointScope, mapping: Mapping): FileStat | undefined {
  const link = `map_files/${hex(mapping.start)}-${hex(mapping.end)}`;
  try {
    return scope.frozen.stat(scope.task, link);
  } catch (error) {
    // Outside of the first user namespace nobody may follow these links (proc_pid_map_files(5)).
    if (error instanceof CkptError && ['EPERM', 'EACCES'].includes(error.code)) return undefined;
    throw error;
  }
}

/** The name as it is: smaps writes a newline as \012, and nothing tells that from a backslash. */
function nameOf(scope: CheckpointScope, mapping: Mapping): string {
  if (!mapping.name.includes('\\')) return mapping.name;
  const link = `map_files/${hex(mapping.start)}-${hex(mapping.end)}`;
  return scope.frozen.link(scope.task, link) ?? mapping.name;
}

/**
 * The file behind a mapping. The name is tried first: it costs one call, and is what a restart has.
 * Some file systems show another device in smaps than stat(2) does, hence the second look.
 */
function statOf(scope: CheckpointScope, mapping: Mapping, name: string): FileStat | undefined {
  const byName = name.startsWith('/') ? scope.frozen.stat(scope.task, `root${name}`) : undefined;
  if (byName?.ino === mapping.inode && byName.dev === mapping.device) return byName;
  const itself = throughMapping(scope, mapping);
  return itself ?? (byName?.ino === mapping.inode ? byName : undefined);
}

/** objref of the PATH that is mapped; undefined when it was refused. */
export function checkpointFile(
  scope: CheckpointScope,
  mapping: Mapping,
  kind: number,
): number | undefined {
  const name = nameOf(scope, mapping);
  const thing = describe(mapping);
  const stat = statOf(scope, mapping, name);
  if (stat === undefined) {
    const deleted = name.endsWith(' (deleted)');
    scope.refuse({
      thing,
      reason: deleted ? 'its file was deleted' : 'its file is not at that name any more',
      remedy: 'start the program anew with a file that stays',
    });
    return undefined;
  }
  const isFile = typeOf(stat.mode) === fileTypes.regular;
  const isZero = typeOf(stat.mode) === fileTypes.character && stat.rdev === zeroDevice;
  if (!isFile && !(isZero && kind === vmaKinds.file)) {
    scope.refuse({
      thing,
      reason: 'it is memory of a device',
      remedy: 'close the device before the checkpoint',
    });
    return undefined;
  }
  const writes = kind === vmaKinds.shared_file && (maximumOf(mapping) & protections.WRITE) !== 0;
  const flags = pathFlags.MAPPED | (writes ? pathFlags.WRITTEN : 0);
  return checkpointPath(scope, { thing, name, stat, flags })?.objref;
}
