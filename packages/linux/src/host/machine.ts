import { crc32c } from '@ckpt/format';
import type { System } from '@ckpt/engine';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { machine, release, version } from 'node:os';
import { elfLength, findMapping } from './vdso.ts';

/** What can be told of a machine by reading alone. */
export type Machine = Omit<System, 'cpu' | 'choosesPids'> & { readonly flags: readonly string[] };

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function readBytes(path: string): Uint8Array {
  try {
    return Uint8Array.from(readFileSync(path));
  } catch {
    return new Uint8Array();
  }
}

/** The vdso of this process is that of every process of this boot. */
function ownVdso(): Pick<System, 'vdso' | 'vdsoHash' | 'vdsoSize'> {
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
  const elf = Uint8Array.from(bytes.subarray(0, elfLength(bytes)));
  return { vdso: elf, vdsoHash: crc32c(elf), vdsoSize: size };
}

function ownLimits(): System['self'] {
  const folder = '/proc/self/ns';
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return undefined;
  }
  const namespaces = names.map((name) => [name, readlinkSync(`${folder}/${name}`)] as const);
  return {
    namespaces: Object.fromEntries(namespaces),
    status: readBytes('/proc/self/status'),
    limits: readBytes('/proc/self/limits'),
  };
}

export function readMachine(): Machine {
  const [major = 0, minor = 0, patch = 0] = release().split(/[.-]/).map(Number);
  const bootId = readText('/proc/sys/kernel/random/boot_id').trim().replaceAll('-', '');
  const self = ownLimits();
  return {
    uts: { release: release(), version: version(), machine: machine() },
    kernel: [major, minor, Number.isNaN(patch) ? 0 : patch],
    bootId: Uint8Array.from(Buffer.from(bootId.padEnd(32, '0'), 'hex')),
    pageSize: 4096,
    flags: /^flags\s*:\s*(.*)$/m.exec(readText('/proc/cpuinfo'))?.[1]?.split(' ') ?? [],
    ...ownVdso(),
    ...(self === undefined ? {} : { self }),
    euid: process.geteuid?.() ?? 0,
    time: BigInt(Math.floor(Date.now() / 1000)),
  };
}
