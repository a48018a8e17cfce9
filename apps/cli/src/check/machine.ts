import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import type { System } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';

/** Something that this machine can do for ckpt, or cannot. */
export interface Ability {
  readonly name: string;
  readonly state: 'yes' | 'no' | 'partly';
  /** What follows from it, or what to do. */
  readonly meaning: string;
}

/** What is known before anything is tried. */
export interface Platform {
  /** As `process` has them. */
  readonly platform: string;
  readonly arch: string;
}

/** linux/version.h: rseq can be queried from 5.13 on. */
const oldestKernel = [5, 13] as const;

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function systemAbility({ platform, arch }: Platform): Ability {
  const name = 'Linux on x86-64';
  if (platform === 'linux' && arch === 'x64') {
    return { name, state: 'yes', meaning: 'processes can be checkpointed and restarted' };
  }
  const meaning = `this is ${platform} on ${arch}: images can be inspected and verified, no more`;
  return { name, state: 'no', meaning };
}

function procAbility(): Ability {
  const name = '/proc';
  try {
    accessSync('/proc/self/mem', constants.R_OK | constants.W_OK);
    accessSync('/proc/self/pagemap', constants.R_OK);
    return { name, state: 'yes', meaning: 'memory and page maps can be read' };
  } catch {
    return { name, state: 'no', meaning: 'is to be mounted: mount -t proc proc /proc' };
  }
}

function kernelAbility({ kernel, uts }: System): Ability {
  const [major, minor] = kernel;
  const old = major < oldestKernel[0] || (major === oldestKernel[0] && minor < oldestKernel[1]);
  const name = `kernel ${oldestKernel.join('.')} or newer`;
  return { name, state: old ? 'no' : 'yes', meaning: `this is ${uts.release}` };
}

/** CAP_SYS_PTRACE of capabilities(7), in this process. */
function tracesAll(): boolean {
  const status = readText('/proc/self/status') ?? '';
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> 19n) & 1n) === 1n;
}

/** That own children can be traced was tried; Yama (ptrace_scope) may forbid all others. */
function tracingAbility(): Ability {
  const name = 'ptrace';
  if (tracesAll()) return { name, state: 'yes', meaning: 'every process may be traced' };
  const scope = readText('/proc/sys/kernel/yama/ptrace_scope') ?? '0';
  if (scope === '0') {
    const meaning = 'your own processes may be traced; root may trace all';
    return { name, state: 'partly', meaning };
  }
  const meaning = 'children only: sudo sysctl kernel.yama.ptrace_scope=0, or sudo ckpt';
  return { name, state: 'partly', meaning };
}

/** What unshare(1) is told, so that whoever starts it is root in namespaces of their own. */
export const ownNamespaces = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc'];

const choosing = 'choosing pids';

function pidsAbility(system: System): Ability {
  const name = choosing;
  if (system.choosesPids) {
    return { name, state: 'yes', meaning: 'a process comes back with the pid it had' };
  }
  const { status, stderr, error } = spawnSync('unshare', [...ownNamespaces, 'true'], {
    encoding: 'utf8',
  });
  if (status === 0) {
    const meaning = `in namespaces of your own: unshare ${ownNamespaces.join(' ')}`;
    return { name, state: 'partly', meaning };
  }
  const why = error === undefined ? stderr.trim() : error.message;
  return { name, state: 'no', meaning: `neither here nor in namespaces of your own (${why})` };
}

/** All of it, by trying; `system` makes and freezes a process of its own. */
export function abilities(platform: Platform, system: () => System): readonly Ability[] {
  const first = systemAbility(platform);
  if (first.state === 'no') return [first];
  const proc = procAbility();
  if (proc.state === 'no') return [first, proc];
  try {
    const found = system();
    const rest = [kernelAbility(found), proc, tracingAbility(), pidsAbility(found)];
    return [first, ...rest];
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    const name = error.code === 'ENOSYS' ? 'native calls' : 'ptrace';
    return [first, proc, { name, state: 'no', meaning: error.sentence }];
  }
}

/** Whether a process gets back its pid here; else it takes namespaces of its own. */
export function choosesPids(list: readonly Ability[]): boolean {
  return list.some(({ name, state }) => name === choosing && state === 'yes');
}

/** Abilities that are missing altogether, as sentences. */
export function missing(list: readonly Ability[]): readonly string[] {
  return list.filter(({ state }) => state === 'no').map((a) => `${a.name}: ${a.meaning}`);
}
