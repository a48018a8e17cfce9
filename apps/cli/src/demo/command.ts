import { Option, type Command } from 'commander';
import type { Cli } from '../cli.ts';
import type { DemoOptions } from './demo.ts';

export function addDemo(program: Command, cli: Cli): void {
  program
    .command('demo')
    .summary('see it work: a Node server there and back')
    .description(
      'Starts a Node HTTP server, warms it, checkpoints it, kills it, restarts it and asks it again; ' +
        'shows what each step took, beside a start from nothing, and how to repeat it by hand. ' +
        'Without root it does so in a user and pid namespace of its own. It leaves nothing behind.',
    )
    .option('--keep', "leave the image and the server's log behind")
    .option('--json', 'print the figures as JSON')
    .addOption(new Option('--within <folder>', 'inside of namespaces of its own').hideHelp())
    .action(async (options: DemoOptions) => {
      const { demo } = await import('./demo.ts');
      await demo(cli, options);
    });
}
