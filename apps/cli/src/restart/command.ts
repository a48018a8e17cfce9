import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withCommon, withTcp, withTrust } from '../options.ts';
import { redirection } from './redirections.ts';
import type { RestartOptions } from './restart.ts';

export function addRestart(program: Command, cli: Cli): void {
  const command = program
    .command('restart')
    .summary('bring a process back from its image')
    .description(
      'Brings a process back from its image, with the pid it had: all of it, or nothing. Waits ' +
        'for its end, passes signals on to it, and ends with its exit status (128 + N when signal ' +
        'N killed it), unless --detach. An image is a program: restart only what you would run.',
    )
    .argument('[file]', 'image (standard input without it, or as -)')
    .option('-i, --input <file>', 'the same, as an option')
    .option('-d, --detach', 'print the pid and return at once')
    .option(
      '--fd <n=target>',
      'lead descriptor N to a PATH, or to descriptor M of ckpt (N=M, N=inherit); again for others',
      redirection,
    )
    .option('--dry-run', 'print the plan as JSON, run nothing; needs no root')
    .option('--text', 'with --dry-run: the plan for people, call by call');
  withCommon(withTcp(withTrust(command)))
    .addHelpText(
      'after',
      `
Examples:
  ckpt restart job.ckpt                  waits for the process, ends as it ends
  ckpt restart --detach job.ckpt         prints its pid
  ckpt restart --dry-run --text job.ckpt
  ckpt restart --map-path /home/ann=/srv/ann job.ckpt
  ssh host cat job.ckpt | ckpt restart

A pipe that led to another process is joined again while that lives; otherwise, and for files and
terminals as well, say what to use:
  ckpt restart --fd 1=job.log --fd 0=/dev/null job.ckpt    what is in job.log stays
  ckpt restart --fd 1=3 job.ckpt 3> >(gzip > out.gz)       as a shell does it
Descriptors that shared one open file with N go with it.

Signals that are passed on: HUP INT QUIT TERM USR1 USR2 TSTP CONT WINCH, but none that a terminal
gave to both anyway.`,
    )
    .action(async (file: string | undefined, options: RestartOptions) => {
      const { restart } = await import('./restart.ts');
      await restart(cli, file, options);
    });
}
