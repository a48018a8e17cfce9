import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { positive } from '../options.ts';
import type { ReleaseOptions } from './release.ts';

export function addRelease(program: Command, cli: Cli): void {
  program
    .command('release')
    .summary('let go of connections that wait for a restart')
    .description(
      'Takes the packet filter away that keeps the other ends of TCP connections waiting for a ' +
        'process that was checkpointed with --kill, when it will not be restarted. They find their ' +
        'connections reset when they next speak. A restart does so by itself.',
    )
    .argument('<pid>', 'process that was killed', positive)
    .option('--json', 'print results and errors as JSON')
    .action(async (pid: number, options: ReleaseOptions) => {
      const { release } = await import('./release.ts');
      release(cli, pid, options);
    });
}
