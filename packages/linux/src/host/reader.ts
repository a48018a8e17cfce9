import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { release, machine, version } from 'node:os';
import { CkptError, crc32c } from '@ckpt/format';
import type { FileStat, Frozen, Host, Running, System } from '@ckpt/engine';
import { resources } from '../resources/index.ts';
import { elfLength, findMapping } from './vdso.ts';

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
    holder: (pid) => holderOf(pid),
    resources,
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** State components by CPU flag (Intel SDM volume 1, 13.1), as /proc/cpuinfo names them. */
const components: Readonly<Record<string, bigint>> = {
  avx: 0x4n,
  mpx: 0x18n,
  avx512f: 0xe0n,
  ospke: 0x200n,
  amx_tile: 0x60000n,
};

function readSystem(): System {
  const [major = 0, minor = 0, patch = 0] = release().split(/[.-]/).map(Number);
  const flags = /^flags\s*:\s*(.*)$/m.exec(readText('/proc/cpuinfo'))?.[1]?.split(' ') ?? [];
  const known = flags.map((flag) => components[flag] ?? 0n);
  const bootId = readText('/proc/sys/kernel/random/boot_id').trim().replaceAll('-', '');
  return {
    uts: { release: release(), version: version(), machine: machine() },
    kernel: [major, minor, Number.isNaN(patch) ? 0 : patch],
    bootId: Uint8Array.from(Buffer.from(bootId.padEnd(32, '0'), 'hex')),
    pageSize: 4096,
    cpu: { xfeatures: known.reduce((all, bits) => all | bits, 3n), xstateSize: 0, flags },
    ...ownVdso(),
    euid: process.geteuid?.() ?? 0,
    choosesPids: true,
    time: BigInt(Math.floor(Date.now() / 1000)),
  };
}

/** The vdso of this process is that of every process of this boot. */
function ownVdso(): { vdsoHash: number; vdsoSize: number } {
  const maps = readText('/proc/self/maps');
  const vdso = findMapping(maps, '[vdso]');
  if (vdso === undefined) return { vdsoHash: 0, vdsoSize: 0 };
  const bytes = Buffer.alloc(Number(vdso.end - vdso.start));
  const fd = openSync('/proc/self/mem', 'r');
  try {
    readSync(fd, bytes, 0, bytes.length, vdso.start);
  } finally {
    closeSync(fd);
  }
  const others = ['[vvar]', '[vvar_vclock]'].map((name) => findMapping(maps, name));
  const size = others.reduce(
    (sum, range) => sum + (range === undefined ? 0 : Number(range.end - range.start)),
    bytes.length,
  );
  return { vdsoHash: crc32c(bytes.subarray(0, elfLength(bytes))), vdsoSize: size };
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

function holderOf(pid: number): string | undefined {
  const comm = readText(`/proc/${pid}/comm`).trim();
  return comm === '' ? undefined : `${pid} (${comm})`;
}
