import { createEngine } from '@ckpt/engine';
import { escapeText } from '@ckpt/format';
import { createLinuxHost } from '@ckpt/linux/host';
import { exitStatus, type Cli } from '../cli.ts';
import { obstacleLines } from '../failure.ts';
import { tableText } from '../table.ts';
import { abilities, missing } from './machine.ts';

export interface CheckOptions {
  readonly verbose?: true;
  readonly json?: true;
}

function checkMachine(cli: Cli, { verbose, json }: CheckOptions): boolean {
  const found = abilities(process, () => createLinuxHost().system());
  const ok = missing(found).length === 0;
  const versions = { node: process.versions.node, platform: process.platform, arch: process.arch };
  if (json) {
    cli.print(`${JSON.stringify({ ok, abilities: found, ...versions })}\n`);
    return ok;
  }
  const { out } = cli;
  const colour = { yes: out.green, no: out.red, partly: out.yellow };
  const rows = found.map(({ name, state, meaning }) => [
    name,
    colour[state](state),
    escapeText(meaning),
  ]);
  cli.print(tableText(rows));
  if (verbose) cli.print(`Node ${versions.node} on ${versions.platform} ${versions.arch}\n`);
  return ok;
}

function checkProcess(cli: Cli, pid: number, { verbose, json }: CheckOptions): boolean {
  const { obstacles, notes } = createEngine(createLinuxHost()).check(pid);
  const ok = obstacles.length === 0;
  if (json) {
    cli.print(`${JSON.stringify({ ok, pid, obstacles, notes })}\n`);
    return ok;
  }
  const { out } = cli;
  if (ok) cli.print(`process ${pid} can be checkpointed: ckpt checkpoint ${pid} -o ${pid}.ckpt\n`);
  else {
    cli.print(`process ${pid} cannot be checkpointed as it is:\n${obstacleLines(obstacles, out)}`);
  }
  if (ok || verbose) {
    for (const note of notes) cli.print(`  ${out.yellow('note:')} ${escapeText(note)}\n`);
  }
  return ok;
}

export function check(cli: Cli, pid: number | undefined, options: CheckOptions): void {
  const ok = pid === undefined ? checkMachine(cli, options) : checkProcess(cli, pid, options);
  if (!ok) cli.status = exitStatus.failed;
}
