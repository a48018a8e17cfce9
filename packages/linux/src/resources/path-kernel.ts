import type { FileStat } from '@ckpt/engine';

/** Files that the kernel puts behind memory: shared, of System V. */
const names = /^\/(dev\/zero|SYSV[0-9a-f]{8}) \(deleted\)$/;

/** True for memory that has a file in the kernel alone, reached as if it were one. */
export function isKernelMemory(name: string, { nlink }: Pick<FileStat, 'nlink'>): boolean {
  return nlink === 0 && names.test(name);
}

/** What is said of it. */
export const kernelMemory = {
  reason: 'it is memory without a file, reached through map_files (proc_pid_map_files(5))',
  remedy: 'close it before the checkpoint, or use memfd_create(2)',
} as const;
