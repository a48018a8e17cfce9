import { CKPT_HDR_FILE_NAME, HeaderArch, headerSize, Path } from '@ckpt/format';
import type { FileStat, Host, System } from '@ckpt/engine';
import { createReader } from '@ckpt/linux/reader';
import { decodeText } from '@ckpt/io';
import { split, typeOf } from '../images/records.ts';
import { resources } from '@ckpt/linux';

/** A machine that is the same everywhere, so that an input does everywhere the same. */
const system: System = {
  uts: { release: '6.1.0', version: '#1 SMP', machine: 'x86_64' },
  kernel: [6, 1, 0],
  bootId: new Uint8Array(16).fill(7),
  pageSize: 4096,
  cpu: { xfeatures: 2n ** 64n - 1n, xstateSize: 2696, flags: ['fpu', 'avx'] },
  vdsoHash: 0x1234,
  vdsoSize: 0x8000,
  euid: 0,
  choosesPids: true,
  time: 1n,
};

/** Where images have HEADER_ARCH: behind HEADER, three BUFFER, FEATURES and IDENTITY. */
const archAt = 56 + 3 * 73 + 24 + 64;

/** The machine with the processor and the vdso of an image: else it would be refused at once. */
function systemFor(image: Uint8Array): System {
  const bytes = image.subarray(archAt, archAt + HeaderArch.size);
  if (typeOf(bytes) !== HeaderArch.type) return system;
  const { xstate_size: xstateSize, vdso_hash, vdso_size } = HeaderArch.decode(bytes);
  const cpu = { ...system.cpu, xstateSize };
  return { ...system, cpu, vdsoHash: vdso_hash, vdsoSize: vdso_size };
}

/** A file as an image tells of it. */
function statOf(record: Uint8Array): FileStat {
  const { device, inode, mode, nlink, uid, gid, rdev, size, mtime } = Path.decode(
    record.subarray(0, Path.size),
  );
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
    files.set(decodeText(name.subarray(headerSize)), statOf(record));
  }
  return files;
}

const no = (): never => {
  throw new Error('nothing is run here');
};

/** A host that plans of an image can be made for: whatever it wants is there. */
export function anyMachine(image: Uint8Array): Host {
  const found = systemFor(image);
  let files: ReadonlyMap<string, FileStat> | undefined;
  const stat = (path: string): FileStat | undefined => {
    files ??= filesOf(image);
    return files.get(path);
  };
  return {
    ...{ system: () => found, stat, holder: () => undefined, resources },
    ...{ freeze: no, run: no },
  };
}

/** This machine's files, behind the same kernel and processor. */
export function thisMachine(image: Uint8Array): Host {
  const found = systemFor(image);
  return { ...createReader(), system: () => found };
}
