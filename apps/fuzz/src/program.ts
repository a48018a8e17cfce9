import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { createCampaigns } from './campaigns/index.ts';
import { fuzz, replay, UsageError, type Settings } from './fuzz.ts';

/** 0: nothing was found. 1: something was, or nothing was tried. 2: usage. */
const usageStatus = 2;

const names = createCampaigns().map(({ name }) => name);

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** A parser of whole numbers from `least` to `most`. */
function whole(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a whole number from ${least} on.`);
  };
}

function seconds(text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('a number of seconds.');
}

/** What the command line says. */
interface Options extends Omit<Settings, 'campaigns' | 'entry'> {
  readonly replay?: string;
}

function createProgram(entry: URL): Command {
  return new Command('ckpt-fuzz')
    .description('Campaigns that look for what must not happen in the packages of ckpt.')
    .version(version())
    .helpCommand(false)
    .exitOverride()
    .argument('[campaign...]', `of ${names.join(', ')}; all unless told`)
    .option('--seed <n>', 'the same seed gives the same executions; random unless told', whole(0))
    .option(
      '--time <seconds>',
      'time for all campaigns together; 60 unless --runs is given',
      seconds,
    )
    .option('--runs <n>', 'executions of each campaign', whole(0))
    .option('--jobs <n>', 'worker threads', whole(1, 1024), availableParallelism())
    .option('--corpus <dir>', 'images to start from, instead of the built-in ones')
    .option('--findings <dir>', 'where findings are saved', './findings')
    .option('--json', 'print one object at the end')
    .option('--replay <file>', 'try a saved finding again: status 1 when it still fails')
    .addHelpText(
      'after',
      `
Campaigns:
${createCampaigns()
  .map(({ name, doc }) => `  ${name.padEnd(13)} ${doc}`)
  .join('\n')}

Examples:
  ckpt-fuzz --time 10
  ckpt-fuzz decode --seed 7 --runs 100000 --jobs 1
  ckpt-fuzz --replay findings/decode-0123456789.json

Exit status: 0 nothing was found; 1 something was, or a campaign made no execution; 2 usage.`,
    )
    .action(async (campaigns: readonly string[], options: Options) => {
      process.exitCode =
        options.replay === undefined
          ? await fuzz({ ...options, campaigns, entry })
          : await replay(options.replay, entry);
    });
}

/** Runs one command line; sets the exit status. `entry` is the module that workers run. */
export async function run(argv: readonly string[], entry: URL): Promise<void> {
  try {
    await createProgram(entry).parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version were printed; everything else was explained by commander.
      process.exitCode = error.exitCode === 0 ? 0 : usageStatus;
    } else if (error instanceof UsageError) {
      process.stderr.write(`ckpt-fuzz: ${error.message}\n`);
      process.exitCode = usageStatus;
    } else throw error;
  }
}
