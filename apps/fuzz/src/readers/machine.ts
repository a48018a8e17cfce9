import type { FileStat, Host, System } from '@ckpt/engine';
import { createReader } from '@ckpt/linux/reader';
import { resources } from '@ckpt/linux';

/** A machine that is the same everywhere, so that an input does everywhere the same. */
export const system: System = {
  uts: { release: '6.1.0', version: '#1 SMP', machine: 'x86_64' },
  kernel: [6, 1, 0],
  bootId: new Uint8Array(16).fill(7),
  pageSize: 4096,
  cpu: { xfeatures: 0xe7n, xstateSize: 2696, flags: ['fpu', 'avx'] },
  vdsoHash: 0x1234,
  vdsoSize: 0x8000,
  euid: 0,
  choosesPids: true,
  time: 1n,
};

/** Files: what a path is follows from its length. */
function stat(path: string): FileStat | undefined {
  const kind = path.length % 4;
  if (kind === 3) return undefined;
  const mode = [0o100644, 0o040755, 0o020666][kind] ?? 0;
  return {
    ...{ dev: 1n, ino: BigInt(path.length), mode, nlink: 1, uid: 0, gid: 0 },
    ...{ rdev: kind === 2 ? 0x103n : 0n, size: 4096n, mtime: 0n },
  };
}

const no = (): never => {
  throw new Error('nothing is run here');
};

/** A host that plans can be made for, not of this machine. */
export const anyMachine: Host = {
  ...{ system: () => system, stat, holder: () => undefined, resources },
  ...{ freeze: no, run: no },
};

/** This machine's files, behind the same kernel and processor. */
export function thisMachine(): Host {
  return { ...createReader(), system: () => system };
}
