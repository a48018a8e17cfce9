import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import type { InspectOptions } from './inspect.ts';

export function addInspect(program: Command, cli: Cli): void {
  program
    .command('inspect')
    .summary('show what is inside an image')
    .description(
      'Shows every record of an image with its position, length and fields in their own ' +
        'notation, what belongs to a record indented below it. Checks the framing alone: a damaged ' +
        'image is shown up to its defect. What a restart would say of it: see ckpt verify.',
    )
    .argument('<file>', 'image, - for standard input')
    .option('-a, --all', 'show all elements of long arrays')
    .option('-v, --verbose', 'a line for each field, with what it means')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  ckpt inspect job.ckpt | less
  ckpt inspect --verbose job.ckpt
  ckpt inspect --json job.ckpt | jq '.records[] | select(.name == "THREAD").fields.tid.value'`,
    )
    .action(async (file: string, options: InspectOptions) => {
      const { inspect } = await import('./inspect.ts');
      inspect(cli, file, options);
    });
}
