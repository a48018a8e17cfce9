import { vmaKinds } from '@ckpt/format';
import type { Mapping } from '../procfs/smaps.ts';

/** What becomes of a mapping. */
export type Verdict =
  /** Not of the process: the kernel puts it there, or there is nothing to carry. */
  | { readonly is: 'kernel' }
  /** Part of the block of [vvar] and [vdso]. */
  | { readonly is: 'vdso' }
  /** One of {@link vmaKinds}. */
  | { readonly is: 'kind'; readonly kind: number }
  | { readonly is: 'obstacle'; readonly reason: string; readonly remedy: string };

/** End of what user space addresses with four levels of page tables, TASK_SIZE_MAX. */
export const addressMax = 0x7fff_ffff_f000n;

/** Mappings of the kernel that make up the block which ARCH_MAP_VDSO_64 maps. */
const vdsoNames = new Set(['[vvar]', '[vvar_vclock]', '[vdso]']);

/** Flags of proc_pid_smaps(5) that say nothing that has to be carried, or that {@link Vma} carries. */
const carried = new Set(
  'rd wr ex sh mr mw me ms gd dw lo lf sr rr dc ac nr wf dd sd hg nh mg dp sl gu ht'.split(' '),
);

const userfault: readonly [string, string] = [
  'userfaultfd(2) serves its pages',
  'checkpoint after the handler has let go',
];
const device: readonly [string, string] = [
  'it is memory of a device',
  'close the device before the checkpoint',
];

/** Flags that cannot be carried, those that tell most first: reason, remedy. */
const refused: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  um: userfault,
  uw: userfault,
  ui: userfault,
  pf: device,
  mm: device,
  io: device,
  ar: device,
  ss: ['it is a shadow stack', 'run with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off'],
  sf: ['it is mapped with MAP_SYNC', 'map it without'],
  de: ['the kernel allows nobody to change it', 'close what it belongs to'],
};

const obstacle = (reason: string, remedy: string): Verdict => ({ is: 'obstacle', reason, remedy });

function byFlags(mapping: Mapping): Verdict | undefined {
  for (const [flag, [reason, remedy]] of Object.entries(refused)) {
    // Huge pages are never expanded in place, and can be carried nevertheless.
    if (flag === 'de' && mapping.flags.has('ht')) continue;
    if (mapping.flags.has(flag)) return obstacle(reason, remedy);
  }
  const unknown = [...mapping.flags].find((flag) => !carried.has(flag) && !(flag in refused));
  if (unknown !== undefined) {
    const reason = `it has the flag "${unknown}", which this version does not know`;
    return obstacle(reason, 'unmap it, or use a newer version');
  }
  if (mapping.protectionKey !== 0) {
    return obstacle(`it has protection key ${mapping.protectionKey}`, 'free the key (pkeys(7))');
  }
  return undefined;
}

/** Names of mappings that are neither files nor ours, by their beginnings: reason, remedy. */
const refusedNames: readonly (readonly [prefix: string, reason: string, remedy: string])[] = [
  ['[uprobes]', 'a probe is set in the program', 'remove the probe (perf, bpftrace)'],
  ['/[aio]', 'it has an asynchronous I/O context (io_setup(2))', 'io_destroy(2) before'],
  [
    '/secretmem',
    'it is hidden even from the kernel (memfd_secret(2))',
    'unmap and close it before',
  ],
  ['/SYSV', 'it is System V shared memory', 'detach it (shmdt(2)) before'],
  ['anon_inode:', 'it belongs to a descriptor that cannot be mapped again', 'close the descriptor'],
  ['socket:', 'it is a ring of a packet socket', 'close the socket'],
];

function byName(mapping: Mapping): Verdict | undefined {
  const { name } = mapping;
  const entry = refusedNames.find(([prefix]) => name.startsWith(prefix));
  if (entry !== undefined) return obstacle(entry[1], entry[2]);
  const ours = /^\[(heap|stack|anon:|anon_shmem:)/;
  if (name.startsWith('[') && !ours.test(name)) {
    return obstacle('the kernel made it for a purpose of its own', 'use a newer version');
  }
  return undefined;
}

/** MAP_ANONYMOUS | MAP_HUGETLB: a file without a name in hugetlbfs. */
const hugeName = '/anon_hugepage (deleted)';

function kindOf(mapping: Mapping): number {
  const shared = mapping.permissions.endsWith('s');
  if (shared) {
    const anonymous = mapping.name === '/dev/zero (deleted)' || mapping.name.startsWith('[');
    return anonymous ? vmaKinds.shared_anonymous : vmaKinds.shared_file;
  }
  if (mapping.name === hugeName) return vmaKinds.anonymous;
  if (mapping.inode !== 0n) return vmaKinds.file;
  return mapping.flags.has('gd') ? vmaKinds.stack : vmaKinds.anonymous;
}

/** Tells what a mapping is, or why it cannot be carried. */
export function classify(mapping: Mapping): Verdict {
  if (mapping.name === '[vsyscall]') return { is: 'kernel' };
  if (vdsoNames.has(mapping.name)) return { is: 'vdso' };
  if (mapping.end > addressMax) {
    return obstacle('it lies above 47 bits of address', 'give mmap(2) no hint above them');
  }
  if (mapping.name === 'anon_inode:[io_uring]') return { is: 'kind', kind: vmaKinds.io_uring };
  return byName(mapping) ?? byFlags(mapping) ?? { is: 'kind', kind: kindOf(mapping) };
}
