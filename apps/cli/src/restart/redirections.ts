import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { UsageError } from '../usage-error.ts';

/** What `--fd N=TARGET` says, by N. */
export type Redirections = ReadonlyMap<number, string>;

const form = /^(\d{1,7})=(.+)$/s;

/** One more `--fd`. */
export function redirection(text: string, before: Redirections = new Map()): Redirections {
  const [, number, target] = form.exec(text) ?? [];
  if (number === undefined || target === undefined) {
    throw new InvalidArgumentError('It is N=PATH, N=M or N=inherit: --fd 1=/dev/null');
  }
  if (before.has(Number(number))) {
    throw new InvalidArgumentError(`Descriptor ${number} is led to two places.`);
  }
  return new Map([...before, [Number(number), target]]);
}

/** fcntl(2), F_GETFL of a descriptor of ours. @throws UsageError when it is none to pass on. */
function flagsOf(fd: number): number {
  try {
    fstatSync(fd);
    // Node's own are of these kinds.
    if (!readlinkSync(`/proc/self/fd/${fd}`).startsWith('anon_inode:')) {
      const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
      return parseInt(/^flags:\s*([0-7]+)/m.exec(info)?.[1] ?? '', 8);
    }
  } catch {
    // It is not open.
  }
  throw new UsageError(`--fd: ckpt was started without a descriptor ${fd}`);
}

/** As the kinds of resource are told: paths, or descriptors of ours with their flags. */
export function targetsOf(redirections: Redirections): ReadonlyMap<number, unknown> {
  const targets = new Map<number, unknown>();
  for (const [number, target] of redirections) {
    const own = target === 'inherit' ? String(number) : target;
    const isPath = !/^\d+$/.test(own);
    const fd = Number(own);
    targets.set(number, isPath ? { path: resolve(target) } : { fd, flags: flagsOf(fd) });
  }
  return targets;
}
