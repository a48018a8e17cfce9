import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCheck } from './check/command.ts';
import { addCheckpoint } from './checkpoint/command.ts';
import { exitStatus, OutputError, type Cli } from './cli.ts';
import { addDemo } from './demo/command.ts';
import { addInspect } from './inspect/command.ts';
import { addRelease } from './release/command.ts';
import { addRestart } from './restart/command.ts';
import { UsageError } from './usage-error.ts';
import { addVerify } from './verify/command.ts';

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Characters of a line of help. */
const widest = 100;

/** The commands, without the work they do: that is loaded when one of them runs. */
function createProgram(cli: Cli, json = false): Command {
  const program = new Command('ckpt')
    .description(
      'Checkpoint and restart of Linux processes: a running program becomes a file, and the ' +
        'file the program again, with its pid, threads, memory and descriptors.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: cli.print,
      writeErr: cli.say,
      getOutHelpWidth: () => Math.min(cli.width, widest),
      getErrHelpWidth: () => Math.min(cli.width, widest),
      outputError: (text) => {
        if (!json) cli.say(text.replace(/^error: /, 'ckpt: '));
      },
    })
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
  addCheckpoint(program, cli);
  addRestart(program, cli);
  addRelease(program, cli);
  addInspect(program, cli);
  addVerify(program, cli);
  addCheck(program, cli);
  addDemo(program, cli);
  return program.helpCommand('help [command]', 'explain a command');
}

function usage(cli: Cli, message: string, json: boolean): void {
  cli.status = exitStatus.usage;
  const about = { ok: false, errno: null, message };
  if (json) cli.say(`${JSON.stringify(about)}\n`);
}

/** Runs one command line; returns the exit status. */
export async function run(args: readonly string[], cli: Cli): Promise<number> {
  const json = args.includes('--json');
  try {
    await createProgram(cli, json).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof OutputError) {
      if (error.code === 'EPIPE') return exitStatus.brokenPipe;
      cli.say(`ckpt: ${error.message}\n`);
      return exitStatus.failed;
    }
    if (error instanceof CommanderError) {
      // Help and version were printed, everything else was explained, if not to a program.
      if (error.exitCode !== 0) usage(cli, error.message.replace(/^error: /, ''), json);
    } else if (error instanceof UsageError) {
      if (!json) cli.say(`ckpt: ${error.message}\n`);
      usage(cli, error.message, json);
    } else {
      const { fail } = await import('./failure.ts');
      fail(cli, error, { json, command: args[0] ?? '' });
    }
  }
  return cli.status;
}
