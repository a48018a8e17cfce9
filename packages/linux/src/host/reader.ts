import { statSync } from 'node:fs';
import { CkptError } from '@ckpt/format';
import type { FileStat, Frozen, Host, Running, System } from '@ckpt/engine';
import { resources } from '../resources/index.ts';
import { findHolder, startTimeOf } from './holders.ts';
import { readMachine } from './machine.ts';

/**
 * A host that only looks: what images need of this machine can be checked, nothing can be frozen
 * or restarted. No native code is loaded, and it works where there is no Linux at all.
 */
export function createReader(): Host {
  const no = (what: string): never => {
    throw new CkptError('ENOSYS', `${what} needs the real host, createLinuxHost()`);
  };
  return {
    system: readSystem,
    freeze: (): Frozen => no('freezing'),
    run: (): Running => no('a restart'),
    stat: readStat,
    holder: findHolder,
    startTime: startTimeOf,
    resources,
  };
}

/** State components by CPU flag (Intel SDM volume 1, 13.1), as /proc/cpuinfo names them. */
const components: Readonly<Record<string, bigint>> = {
  avx: 0x4n,
  mpx: 0x18n,
  avx512f: 0xe0n,
  ospke: 0x200n,
  amx_tile: 0x60000n,
};

/** Only cpuid tells the true size, which takes native code: no image is refused for it here. */
const xstateUnknown = 0;

function readSystem(): System {
  const { flags, ...rest } = readMachine();
  const known = flags.map((flag) => components[flag] ?? 0n);
  const xfeatures = known.reduce((all, bits) => all | bits, 3n);
  return { ...rest, cpu: { xfeatures, xstateSize: xstateUnknown, flags }, choosesPids: true };
}

function readStat(path: string): FileStat | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return {
    dev: stat.dev,
    ino: stat.ino,
    mode: Number(stat.mode),
    nlink: Number(stat.nlink),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    rdev: stat.rdev,
    size: stat.size,
    mtime: stat.mtimeNs,
  };
}
