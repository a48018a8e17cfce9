import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { positive } from '../options.ts';
import type { CheckOptions } from './check.ts';

export function addCheck(program: Command, cli: Cli): void {
  program
    .command('check')
    .summary('can this machine, this process be checkpointed?')
    .description(
      'Without a pid: says what this machine allows, by trying. With one: everything that keeps the ' +
        'process from being checkpointed, and what to do about each; it is frozen for a moment. ' +
        'Exit status 0 when it can be done.',
    )
    .argument('[pid]', 'process to look at', positive)
    .option('-v, --verbose', 'say more: versions, and what an image would leave out')
    .option('--json', 'print results and errors as JSON')
    .addHelpText(
      'after',
      `
Examples:
  ckpt check
  ckpt check 4242 && ckpt checkpoint 4242 --kill -o job.ckpt`,
    )
    .action(async (pid: number | undefined, options: CheckOptions) => {
      const { check } = await import('./check.ts');
      check(cli, pid, options);
    });
}
