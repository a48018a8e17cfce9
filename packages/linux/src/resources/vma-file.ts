import type { CheckpointScope, FileStat } from '@ckpt/engine';
import { CkptError, pathFlags, protections, vmaKinds } from '@ckpt/format';
import type { Mapping } from '../procfs/smaps.ts';
import { checkpointPath } from './path.ts';
import { keyOf, refuseOutsiders, type SharedObjects } from './memory-groups.ts';
import type { FileRange } from './path-content.ts';
import { isKernelMemory, kernelMemory } from './path-kernel.ts';
import { fileTypes, typeOf } from './path-type.ts';
import { maximumOf } from './vma-flags.ts';

const hex = (address: bigint): string => address.toString(16);

/** "mapping 7f0000000000-7f0000001000: /lib/libc.so.6" */
export function describe({ start, end, name }: Mapping): string {
  return `mapping ${hex(start)}-${hex(end)}${name === '' ? '' : `: ${name}`}`;
}

/** /dev/zero, whose private mappings are anonymous memory. */
const zeroDevice = 0x105n;

const linkOf = ({ start, end }: Mapping): string => `map_files/${hex(start)}-${hex(end)}`;

function throughMapping(scope: CheckpointScope, mapping: Mapping): FileStat | undefined {
  try {
    return scope.frozen.stat(scope.task, linkOf(mapping));
  } catch (error) {
    // Outside of the first user namespace nobody may follow these links (proc_pid_map_files(5)).
    if (error instanceof CkptError && ['EPERM', 'EACCES'].includes(error.code)) return undefined;
    throw error;
  }
}

/** The name as it is: smaps writes a newline as \012, and nothing tells that from a backslash. */
function nameOf(scope: CheckpointScope, mapping: Mapping): string {
  if (!mapping.name.includes('\\')) return mapping.name;
  return scope.frozen.link(scope.task, linkOf(mapping)) ?? mapping.name;
}

/**
 * The file behind a mapping. The name is tried first: it costs one call, and is what a restart has.
 * Some file systems show another device in smaps than stat(2) does, hence the second look.
 */
function statOf(scope: CheckpointScope, mapping: Mapping, name: string): FileStat | undefined {
  const byName = name.startsWith('/') ? scope.frozen.stat(scope.task, `root${name}`) : undefined;
  if (byName?.ino === mapping.inode && byName.dev === mapping.device) return byName;
  const itself = throughMapping(scope, mapping);
  if (itself !== undefined || byName?.ino === mapping.inode) return itself ?? byName;
  const fd = descriptorOf(scope, mapping);
  return fd === undefined ? undefined : scope.frozen.stat(scope.task, `fd/${fd}`);
}

/**
 * Private huge pages have a file behind them, which is empty where it was made for them alone.
 * @returns True where it holds something, which shows where they are untouched.
 */
export function showsHugeFile(scope: CheckpointScope, mapping: Mapping): boolean {
  try {
    const extents = scope.frozen.extents?.(scope.task, linkOf(mapping));
    return extents !== undefined && extents.data?.length !== 0;
  } catch (error) {
    // As above; to map such a file anew, the process had to follow the link itself.
    if (error instanceof CkptError && ['EPERM', 'EACCES'].includes(error.code)) return false;
    throw error;
  }
}

/** A descriptor of the file behind a mapping, for those who may not follow map_files. */
function descriptorOf({ frozen, task }: CheckpointScope, mapping: Mapping): string | undefined {
  return frozen.list(task, 'fd').find((fd) => {
    if (frozen.link(task, `fd/${fd}`) !== mapping.name) return false;
    return frozen.stat(task, `fd/${fd}`)?.ino === mapping.inode;
  });
}

/** Where the bytes of a mapped file without a name are, under /proc/PID. */
function contentsOf(scope: CheckpointScope, mapping: Mapping): string | undefined {
  if (throughMapping(scope, mapping) !== undefined) return linkOf(mapping);
  const fd = descriptorOf(scope, mapping);
  return fd === undefined ? undefined : `fd/${fd}`;
}

/** True where the content of programs and libraries belongs into the image. */
export const isSelfContained = ({ options }: CheckpointScope): boolean =>
  options.selfContained === true;

/** The program may be run once more (/proc/self/exe): all of it is carried. */
function isProgram({ frozen, task }: CheckpointScope, { dev, ino }: FileStat): boolean {
  const exe = frozen.stat(task, 'exe');
  return exe?.dev === dev && exe.ino === ino;
}

/** Mappings of files, by the file. */
export interface FileGroups {
  readonly private: SharedObjects;
  readonly shared: SharedObjects;
  /** What another process has, too. */
  readonly outsiders: ReadonlySet<Mapping>;
}

const partsOf = (mappings: readonly Mapping[]): readonly FileRange[] =>
  mappings.map(({ start, end, offset }) => ({ start: offset, end: offset + end - start }));

/**
 * @returns objref of the PATH that is mapped; undefined when it was refused.
 */
export function checkpointFile(
  scope: CheckpointScope,
  mapping: Mapping,
  kind: number,
  files: FileGroups,
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
  if (isKernelMemory(name, stat)) {
    scope.refuse({ thing, ...kernelMemory });
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
  // What has a name is a file that others may have; the rest is memory, and carried.
  if (writes && stat.nlink === 0) refuseOutsiders(scope, thing, mapping, files.outsiders);
  const facts = { thing, name, stat, flags };
  if (kind === vmaKinds.file && isFile && stat.nlink > 0 && isSelfContained(scope)) {
    const contents = `root${name}`;
    const parts = isProgram(scope, stat)
      ? {}
      : { parts: partsOf(files.private.get(keyOf(mapping)) ?? []) };
    const carried = { ...facts, flags: flags | pathFlags.CARRIED, contents, ...parts };
    return checkpointPath(scope, carried)?.objref;
  }
  const contents = stat.nlink === 0 ? contentsOf(scope, mapping) : undefined;
  const more = contents === undefined ? {} : { contents };
  return checkpointPath(scope, { ...facts, ...more })?.objref;
}
