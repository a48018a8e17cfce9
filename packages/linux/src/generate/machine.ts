import type { FileStat, System } from '@ckpt/engine';
import { encodeText } from '@ckpt/io';
import { limitNames } from '../procfs/limits.ts';

const allCapabilities = '000001ffffffffff';

const status = [
  'Name:\tckpt',
  'Umask:\t0022',
  'Uid:\t0\t0\t0\t0',
  'Gid:\t0\t0\t0\t0',
  'Groups:\t',
  'CapInh:\t0000000000000000',
  `CapPrm:\t${allCapabilities}`,
  `CapEff:\t${allCapabilities}`,
  `CapBnd:\t${allCapabilities}`,
  'CapAmb:\t0000000000000000',
  'NoNewPrivs:\t0',
  'Seccomp:\t0',
  'Cpus_allowed:\tf',
];

/** RLIMIT_NOFILE and RLIMIT_MEMLOCK, which are not without limit. */
const limited = new Map<string, string>([
  ['RLIMIT_NOFILE', '4096'],
  ['RLIMIT_MEMLOCK', '67108864'],
]);

const limits = limitNames.map(([name, key]) => {
  const amount = limited.get(key) ?? 'unlimited';
  return `Max ${name}`.padEnd(26) + `${amount.padEnd(20)} ${amount.padEnd(20)} units`;
});

const namespaces = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'];

/** A machine that could be: Linux 6.18 on a processor with AVX, and root who checkpoints. */
export const exampleSystem: System = {
  uts: { release: '6.18.0', version: '#1 SMP', machine: 'x86_64' },
  kernel: [6, 18, 0],
  bootId: new Uint8Array(16).fill(0x5a),
  pageSize: 4096,
  cpu: { xfeatures: 7n, xstateSize: 832, flags: ['fpu', 'sse', 'sse2', 'avx'] },
  vdsoHash: 0x1234_5678,
  vdsoSize: 0x8000,
  self: {
    namespaces: Object.fromEntries(
      namespaces.map((name, index) => [name, `${name}:[${4_026_531_834 + index}]`]),
    ),
    status: encodeText(`${status.join('\n')}\n`),
    limits: encodeText(`${limits.join('\n')}\n`),
  },
  euid: 0,
  choosesPids: true,
  time: 1_700_000_000n,
  clocks: {
    ...{ monotonic: 8_000_000_000_000_000n, boottime: 9_000_000_000_000_000n },
    offsets: { monotonic: 0n, boottime: 0n },
  },
};

let inode = 10n;

const file = (mode: number, size: number, rdev = 0n): FileStat => ({
  ...{ dev: 0xfe00n, ino: inode++, mode, nlink: 1, uid: 0, gid: 0 },
  ...{ rdev, size: BigInt(size), mtime: 1_600_000_000_000_000_000n },
});

export const program = '/usr/bin/program';
export const library = '/usr/lib/library.so';
export const home = '/home/user';
/** Files that anybody may write. */
export const logs = [`${home}/log`, `${home}/data`];
export const devices = ['/dev/null', '/dev/urandom'];
export const fifo = `${home}/fifo`;

/** Files of that machine. */
export const exampleFiles: Readonly<Record<string, FileStat>> = {
  '/': file(0o040755, 4096),
  '/usr': file(0o040755, 4096),
  '/usr/bin': file(0o040755, 4096),
  [program]: file(0o100755, 0x20000),
  [library]: file(0o100644, 0x40000),
  '/home': file(0o040755, 4096),
  [home]: file(0o041777, 4096),
  [`${home}/log`]: file(0o100666, 12_345),
  [`${home}/data`]: file(0o100666, 0x10000),
  [fifo]: file(0o010666, 0),
  '/dev/null': file(0o020666, 0, 0x103n),
  '/dev/urandom': file(0o020666, 0, 0x109n),
};
