import { Option, type Command } from 'commander';
import type { Cli } from '../cli.ts';
import { positive, withCommon, withOutside } from '../options.ts';
import type { CheckpointOptions } from './checkpoint.ts';

export function addCheckpoint(program: Command, cli: Cli): void {
  const command = program
    .command('checkpoint')
    .summary('write an image of a running process')
    .description(
      'Writes an image of a running process, with all its threads. The process is frozen ' +
        'meanwhile, for some milliseconds, and goes on as if nothing had been, unless --kill. What ' +
        'cannot be carried is refused, all of it at once, and nothing is written.',
    )
    .argument('<pid>', 'process to checkpoint; a thread too with --revision 3', positive)
    .option('-o, --output <file>', 'image to create (standard output without it, or as -)')
    .option('--kill', 'kill the process once the image is safe on disk, before it runs on')
    .option('--verify', 'prove first that it can be restarted here; else no image, no kill')
    .option('--self-contained', 'put program and libraries into the image, too')
    .option('--force', 'put the image in the place of a file that is there')
    .option('--deadline <ms>', 'longest time it may be frozen, then it goes on', positive)
    .addOption(
      new Option('--revision <n>', '100: the process; 3: the base, without its memory')
        .choices(['3', '100'])
        .default('100'),
    );
  withCommon(withOutside(command))
    .addHelpText(
      'after',
      `
Examples:
  ckpt checkpoint 4242 -o job.ckpt          the process goes on
  ckpt checkpoint 4242 --kill -o job.ckpt   it is gone, until: ckpt restart job.ckpt
  ckpt checkpoint 4242 --kill --verify -o job.ckpt
  ckpt checkpoint 4242 | ssh host 'cat > job.ckpt'

The image holds the memory of the process, with whatever secrets are in it: it is created with
mode 0600, beside its name, and gets that when it is whole.

--self-contained is for a machine that may lack the program or its libraries, or has other ones:
a restart uses the files where they are the same (size, and build id or time), else copies from the
image, which /proc shows as /memfd:NAME (deleted). Files that are open, and files that are mapped to
be shared, are not in the image all the same.

--verify makes every check of a restart, from this terminal and with --trust-image, while the
process is frozen: paths, ids, processor, kernel, limits, rights. When one fails the process goes
on, no file is left, and whoever reads a pipe finds an error in the place of the image.`,
    )
    .action(async (pid: number, options: CheckpointOptions) => {
      const { checkpoint } = await import('./checkpoint.ts');
      await checkpoint(cli, pid, options);
    });
}
