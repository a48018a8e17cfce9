import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCheck } from './commands/check.ts';
import { addCheckpoint } from './commands/checkpoint.ts';
import { addDemo } from './commands/demo.ts';
import { addInspect } from './commands/inspect.ts';
import { addRestart } from './commands/restart.ts';
import { addVerify } from './commands/verify.ts';
import { exitStatus, fail } from './failure.ts';

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

export function createProgram(): Command {
  const program = new Command('ckpt')
    .description(
      'Checkpoint/restart of Linux processes: a running program becomes a file, and the file the\n' +
        'program again, with its pid, threads, memory and descriptors.',
    )
    .version(version())
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
Start here:
  ckpt demo                                   see it work
  ckpt check 4242                             can process 4242 be checkpointed?
  ckpt checkpoint 4242 --kill -o job.ckpt     into a file
  ckpt restart job.ckpt                       and back

Exit status: 0 done; 1 refused or failed, with the reason on standard error; 2 usage.
A restart that waits ends with the status of the process, 128 + N when signal N killed it.`,
    );
  addCheckpoint(program);
  addRestart(program);
  addInspect(program);
  addVerify(program);
  addCheck(program);
  addDemo(program);
  for (const command of program.commands) command.exitOverride();
  return program;
}

/** Runs one command line; sets the exit status. */
export async function run(argv: readonly string[]): Promise<void> {
  const json = argv.includes('--json');
  try {
    await createProgram().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version were printed; everything else was explained by commander.
      process.exitCode = error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
      return;
    }
    fail(error, json);
  }
}
