import { accessSync, constants, readFileSync } from 'node:fs';
import { Table } from '../table.ts';
import type { Command } from 'commander';
import { CkptError } from '@ckpt/format';
import { createEngine, type Obstacle } from '@ckpt/engine';
import { asJson, exitStatus, explain } from '../failure.ts';
import { pidOf, withCommon, type Common } from '../options.ts';
import { escape, style } from '../terminal.ts';

/** Something this machine can or cannot do for ckpt. */
interface Ability {
  readonly name: string;
  readonly state: 'yes' | 'no' | 'partly';
  /** What follows from it, and what to do. */
  readonly meaning: string;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function platform(): Ability {
  const ok = process.platform === 'linux' && process.arch === 'x64';
  return {
    name: 'Linux on x86-64',
    state: ok ? 'yes' : 'no',
    meaning: ok
      ? 'processes can be checkpointed and restarted'
      : `this is ${process.platform} on ${process.arch}: images can be inspected, no more`,
  };
}

/** CAP_CHECKPOINT_RESTORE and friends by bit (linux/capability.h). */
const capabilities = { CAP_SYS_PTRACE: 19, CAP_SYS_ADMIN: 21, CAP_CHECKPOINT_RESTORE: 40 };

function has(capability: keyof typeof capabilities): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readText('/proc/self/status') ?? '')?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> BigInt(capabilities[capability])) & 1n) === 1n;
}

function tracing(): Ability {
  const scope = readText('/proc/sys/kernel/yama/ptrace_scope') ?? '0';
  const all = has('CAP_SYS_PTRACE');
  if (all) return { name: 'ptrace', state: 'yes', meaning: 'every process may be traced' };
  if (scope === '0') {
    return { name: 'ptrace', state: 'partly', meaning: 'your own processes may be traced' };
  }
  return {
    name: 'ptrace',
    state: 'no',
    meaning: 'only children may be traced: sudo sysctl kernel.yama.ptrace_scope=0, or run as root',
  };
}

function pids(): Ability {
  const ok = has('CAP_SYS_ADMIN') || has('CAP_CHECKPOINT_RESTORE');
  return {
    name: 'choosing pids',
    state: ok ? 'yes' : 'partly',
    meaning: ok
      ? 'a process comes back with the pid it had'
      : 'run in a pid namespace of your own: unshare --user --map-root-user --pid --fork --mount-proc',
  };
}

function memory(): Ability {
  try {
    accessSync('/proc/self/mem', constants.R_OK | constants.W_OK);
    accessSync('/proc/self/pagemap', constants.R_OK);
    return { name: '/proc', state: 'yes', meaning: 'memory and page maps can be read' };
  } catch {
    return { name: '/proc', state: 'no', meaning: 'mount it: mount -t proc proc /proc' };
  }
}

const colour = { yes: style.green, no: style.red, partly: style.yellow };

function machine(json: boolean): boolean {
  const abilities = [platform(), memory(), tracing(), pids()];
  if (json)
    console.log(JSON.stringify({ ok: abilities.every((a) => a.state !== 'no'), abilities }));
  else {
    const table = new Table(['', 'here', 'so']);
    for (const { name, state, meaning } of abilities)
      table.add([name, colour[state](state), meaning]);
    console.log(table.text());
  }
  return abilities.every((ability) => ability.state !== 'no');
}

function printObstacles(pid: number, obstacles: readonly Obstacle[]): void {
  console.log(`process ${pid} cannot be checkpointed as it is:`);
  for (const { thing, reason, remedy } of obstacles) {
    console.log(`  ${style.bold(escape(thing))}: ${escape(reason)}`);
    if (remedy !== '') console.log(`      ${style.dim('try:')} ${escape(remedy)}`);
  }
}

async function oneProcess(pid: number, json: boolean): Promise<boolean> {
  const { createLinuxHost } = await import('@ckpt/linux/host');
  try {
    const { obstacles, notes } = createEngine(createLinuxHost()).check(pid);
    if (json) console.log(JSON.stringify({ ok: obstacles.length === 0, pid, obstacles, notes }));
    else if (obstacles.length > 0) printObstacles(pid, obstacles);
    else {
      console.log(`process ${pid} can be checkpointed: ckpt checkpoint ${pid} -o ${pid}.ckpt`);
      for (const note of notes) console.log(`  ${style.yellow('note:')} ${escape(note)}`);
    }
    return obstacles.length === 0;
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    console.log(json ? JSON.stringify({ ...asJson(error), pid }) : explain(error));
    return false;
  }
}

export async function check(pidText: string | undefined, options: Common): Promise<void> {
  const json = options.json ?? false;
  const fine = pidText === undefined ? machine(json) : await oneProcess(pidOf(pidText), json);
  if (!fine) process.exitCode = exitStatus.failed;
}

export function addCheck(program: Command): void {
  withCommon(
    program
      .command('check')
      .summary('can this machine, this process be checkpointed?')
      .description(
        'Says what this machine allows; with a pid, everything that keeps the process from being\n' +
          'checkpointed, and what to do about each. The process is frozen for a moment.',
      )
      .argument('[pid]', 'process to look at'),
  ).action(check);
}
