import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { kernelVersion, withCommon, withTrust } from '../options.ts';
import type { VerifyOptions } from './verify.ts';

export function addVerify(program: Command, cli: Cli): void {
  const command = program
    .command('verify')
    .summary('check images without restarting anything')
    .description(
      'Makes every check of a restart on this machine, and restarts nothing. Says ok, or the ' +
        'first defect: errno, position, record, field. Needs no root and no native code.',
    )
    .argument('<file...>', 'images, - for standard input')
    .option(
      '--kernel <version>',
      'kernel that revision 3 images must come from, as the base demands',
      kernelVersion,
    );
  withCommon(withTrust(command))
    .addHelpText(
      'after',
      `
Examples:
  ckpt verify *.ckpt                    one line for each; exit status 1 when one is bad
  ckpt verify --json job.ckpt           {"file","ok","errno","pos","type","field","message"}
  ckpt verify --kernel 2.6.37 old.ckpt  as the kernel that wrote it would have checked it
  ssh host cat job.ckpt | ckpt verify -`,
    )
    .action(async (files: string[], options: VerifyOptions) => {
      const { verify } = await import('./verify.ts');
      await verify(cli, files, options);
    });
}
