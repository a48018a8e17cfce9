import {
  CKPT_HDR_FILE_NAME,
  CkptError,
  HeaderArch,
  headerSize,
  Path,
  type Struct,
} from '@ckpt/format';
import type { FileStat, Host, System } from '@ckpt/engine';
import { createReader } from '@ckpt/linux/reader';
import { decodeText } from '@ckpt/io';
import { split, typeOf } from '../images/records.ts';
import { generateFacts, resources } from '@ckpt/linux';

/** A machine that is the same everywhere, so that an input does everywhere the same. */
let plainest: System | undefined;

/** Where images have HEADER_ARCH: behind HEADER, three BUFFER, FEATURES and IDENTITY. */
const archAt = 56 + 3 * 73 + 24 + 64;

/** A record, where it can be read at all: what is wrong with it is for the engine to say. */
function readable<T>(struct: Struct<T>, bytes: Uint8Array): T | undefined {
  try {
    return struct.decode(bytes);
  } catch (error) {
    if (error instanceof CkptError) return undefined;
    throw error;
  }
}

/** The machine with the processor and the vdso of an image: else it would be refused at once. */
function systemFor(image: Uint8Array): System {
  const system = (plainest ??= generateFacts(() => 0).system);
  const bytes = image.subarray(archAt, archAt + HeaderArch.size);
  if (typeOf(bytes) !== HeaderArch.type) return system;
  const arch = readable(HeaderArch, bytes);
  if (arch === undefined) return system;
  const { xstate_size: xstateSize, vdso_hash, vdso_size } = arch;
  const cpu = { ...system.cpu, xfeatures: 2n ** 64n - 1n, xstateSize };
  return { ...system, cpu, vdsoHash: vdso_hash, vdsoSize: vdso_size };
}

/** A file as an image tells of it. */
function statOf(record: Uint8Array): FileStat | undefined {
  const path = readable(Path, record.subarray(0, Path.size));
  if (path === undefined) return undefined;
  const { device, inode, mode, nlink, uid, gid, rdev, size, mtime } = path;
  return { dev: device, ino: inode, mode, nlink, uid, gid, rdev, size, mtime };
}

/** Files as an image tells of them, by their names. */
function filesOf(image: Uint8Array): ReadonlyMap<string, FileStat> {
  const parts = split(image);
  const files = new Map<string, FileStat>();
  for (const [index, name] of parts.entries()) {
    const record = parts[index - 1];
    if (typeOf(name) !== CKPT_HDR_FILE_NAME || record === undefined) continue;
    if (typeOf(record) !== Path.type) continue;
    const stat = statOf(record);
    if (stat !== undefined) files.set(decodeText(name.subarray(headerSize)), stat);
  }
  return files;
}

const no = (): never => {
  throw new Error('nothing is run here');
};

/** A host, and the files that it has. */
interface Somewhere extends Host {
  readonly files: Readonly<Record<string, FileStat>>;
}

/** A host that plans of an image can be made for: whatever it wants is there. */
export function anyMachine(image: Uint8Array): Somewhere {
  const found = systemFor(image);
  let files: ReadonlyMap<string, FileStat> | undefined;
  return {
    ...{ system: () => found, holder: () => undefined, resources, freeze: no, run: no },
    stat: (path) => (files ??= filesOf(image)).get(path),
    get files() {
      return Object.fromEntries(filesOf(image));
    },
  };
}

/** This machine's files, behind the same kernel and processor. */
export function thisMachine(image: Uint8Array): Host {
  const found = systemFor(image);
  return { ...createReader(), system: () => found };
}
