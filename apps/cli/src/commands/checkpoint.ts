import { fstatSync, fsyncSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Option, type Command } from 'commander';
import { createEngine, type Checkpointed } from '@ckpt/engine';
import { createImage, nonBlockingFile, type FdFile, type FdFileOptions } from '@ckpt/io/node';
import { UsageError } from '../failure.ts';
import { debugOptions, openLog, pidOf, positive, withCommon, type Common } from '../options.ts';
import { escape, progressBar, sizeText, style, timeText } from '../terminal.ts';

interface Options extends Common {
  readonly output?: string;
  readonly kill?: true;
  readonly force?: true;
  readonly revision: '3' | '100';
  readonly deadline?: number;
}

/** Where the image goes: a file that gets its name when it is whole, or standard output. */
interface Target {
  readonly file: FdFile;
  commit(): void;
  abort(): void;
}

function standardOutput(options: FdFileOptions): Target {
  if (isatty(1)) {
    throw new UsageError(
      'standard output is a terminal, and an image is no text: give -o FILE, or redirect it',
    );
  }
  const file = nonBlockingFile(1, 'write', options);
  return {
    file,
    commit() {
      if (fstatSync(1).isFile()) fsyncSync(1);
    },
    abort() {
      // What was written says by its missing TAIL that it is not whole.
    },
  };
}

function summary(made: Checkpointed, options: Options): string {
  const where = options.output === undefined ? 'standard output' : escape(options.output);
  const after = options.kill ? 'it was killed' : 'it goes on';
  return (
    `${style.green('checkpointed')} process ${made.pid} to ${where}: ${sizeText(made.length)}, ` +
    `frozen for ${timeText(made.frozenMs)}; ${after}`
  );
}

function asJson(made: Checkpointed, options: Options): string {
  return JSON.stringify({
    ok: true,
    pid: made.pid,
    file: options.output ?? null,
    revision: made.revision,
    length: made.length,
    pages: made.pages,
    frozenMs: Number(made.frozenMs.toFixed(3)),
    killed: options.kill ?? false,
    notes: made.notes,
  });
}

/** Results go to standard error where the image takes standard output. */
function tell(made: Checkpointed, options: Options): void {
  const print = options.output === undefined ? console.error : console.log;
  if (options.json) {
    print(asJson(made, options));
    return;
  }
  console.error(summary(made, options));
  for (const note of made.notes) console.error(`  ${style.yellow('note:')} ${escape(note)}`);
}

export async function checkpoint(pidText: string, options: Options): Promise<void> {
  const pid = pidOf(pidText);
  if (options.revision === '3' && options.kill) {
    throw new UsageError('an image of revision 3 holds no program: --kill would lose the process');
  }
  let left = () => Infinity;
  const deadline = () => left();
  const target =
    options.output === undefined
      ? standardOutput({ deadline })
      : createImage(options.output, { deadline, force: options.force ?? false });
  const bar = progressBar();
  let log;
  try {
    const { createLinuxHost } = await import('@ckpt/linux/host');
    log = openLog(options.log);
    const engine = createEngine(createLinuxHost(), {
      revision: options.revision === '3' ? 3 : 100,
      kill: options.kill ?? false,
      durable: () => {
        target.commit();
      },
      onFreeze: (leftMs) => {
        left = leftMs;
      },
      progress: bar.tell,
      ...(options.deadline === undefined ? {} : { deadlineMs: options.deadline }),
      ...debugOptions(options),
    });
    const made = engine.checkpoint(pid, target.file, 0, log);
    target.commit();
    bar.end();
    tell(made, options);
  } catch (error) {
    bar.end();
    target.abort();
    throw error;
  } finally {
    log?.close();
  }
}

export function addCheckpoint(program: Command): void {
  withCommon(
    program
      .command('checkpoint')
      .summary('write an image of a running process')
      .description(
        'Writes an image of a running process, with all its threads. The process is frozen\n' +
          'meanwhile, for some milliseconds, and goes on as if nothing had been, unless --kill.',
      )
      .argument('<pid>', 'process to checkpoint')
      .option('-o, --output <file>', 'image to create (standard output without it)')
      .option('--kill', 'kill the process once the image is safe on disk, before it runs on')
      .option('--force', 'replace an image that is there')
      .option('--deadline <ms>', 'longest time it may be frozen, then it goes on', positive)
      .addOption(
        new Option('--revision <n>', '100: the process; 3: the base, without its memory')
          .choices(['3', '100'])
          .default('100'),
      ),
  )
    .addHelpText(
      'after',
      `
Examples:
  ckpt checkpoint 4242 -o job.ckpt          the process goes on
  ckpt checkpoint 4242 --kill -o job.ckpt   it is gone, until: ckpt restart job.ckpt
  ckpt checkpoint 4242 | ssh host 'cat > job.ckpt'`,
    )
    .action(checkpoint);
}
