import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { Option, type Command } from 'commander';
import { createEngine, planToJson, planToText, type Plan, type Restarted } from '@ckpt/engine';
import { FdFile, openImage } from '@ckpt/io/node';
import { UsageError } from '../failure.ts';
import { debugOptions, openLog, withCommon, type Common } from '../options.ts';
import { escape, ownTerminal, progressBar, style, timeText } from '../terminal.ts';

interface Options extends Common {
  readonly input?: string;
  readonly detach?: true;
  readonly dryRun?: true | 'json' | 'text';
  readonly trustImage?: true;
  readonly allowChanged?: true;
}

/** Signals that go on to the restarted process. */
const passedOn = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
  'SIGWINCH',
] as const;

/** Those that a terminal gives to its whole foreground group by itself. */
const fromTerminal = new Set<string>(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGWINCH']);

function processGroup(pid: number | 'self'): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}

/** Passes signals on, but none that the terminal gave to both. Returns how to stop it. */
function passSignals(pid: number): () => void {
  const handlers = passedOn.map((signal) => {
    const handler = () => {
      try {
        const both = ownTerminal() !== undefined && processGroup(pid) === processGroup('self');
        if (!(both && fromTerminal.has(signal))) process.kill(pid, signal);
      } catch {
        // It is gone: its status is on the way.
      }
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const off of handlers) off();
  };
}

/** Ends as the process ended: with its exit status, or by the signal that killed it. */
function endAs(status: number): void {
  const signal = status & 0x7f;
  if (signal === 0) {
    process.exitCode = (status >> 8) & 0xff;
    return;
  }
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  console.error(`ckpt: the process was killed by ${name ?? `signal ${signal}`}`);
  process.exitCode = 128 + signal;
}

function source(path: string | undefined): FdFile {
  if (path !== undefined && path !== '-') return openImage(path);
  if (isatty(0)) {
    throw new UsageError('standard input is a terminal: name an image, or redirect one to it');
  }
  return new FdFile(0, { borrowed: true });
}

function printPlan(plan: Plan, format: true | 'json' | 'text'): void {
  if (format === 'text') console.log(planToText(plan));
  else console.log(JSON.stringify(planToJson(plan), undefined, 2));
}

function tell({ running, plan, revision }: Restarted, options: Options, ms: number): void {
  if (options.json) {
    const notes = [...plan.notes, ...running.warnings];
    console.log(JSON.stringify({ ok: true, pid: running.pid, revision, notes }));
    return;
  }
  for (const note of [...plan.notes, ...running.warnings]) {
    console.error(`${style.yellow('note:')} ${escape(note)}`);
  }
  if (options.detach) console.log(String(running.pid));
  else if (options.verbose) {
    console.error(`${style.green('restarted')} process ${running.pid} in ${timeText(ms)}`);
  }
}

export async function restart(file: string | undefined, options: Options): Promise<void> {
  if (file !== undefined && options.input !== undefined) {
    throw new UsageError('an image is named twice: once is enough');
  }
  const image = source(file ?? options.input);
  const { createLinuxHost } = await import('@ckpt/linux/host');
  const log = openLog(options.log);
  const bar = progressBar();
  const started = performance.now();
  try {
    const terminal = ownTerminal();
    const engine = createEngine(createLinuxHost(), {
      progress: bar.tell,
      settings: {
        ...(terminal === undefined ? {} : { tty: terminal }),
        trustImage: options.trustImage ?? false,
        allowChanged: options.allowChanged ?? false,
      },
      ...debugOptions(options),
    });
    if (options.dryRun !== undefined) {
      printPlan(engine.plan(image, log), options.dryRun);
      return;
    }
    const restarted = engine.restart(0, image, 0, log);
    bar.end();
    tell(restarted, options, performance.now() - started);
    if (options.detach) process.exit(0);
    const stop = passSignals(restarted.running.pid);
    const status = await restarted.running.wait();
    stop();
    endAs(status);
  } finally {
    bar.end();
    log?.close();
    image.close();
  }
}

export function addRestart(program: Command): void {
  withCommon(
    program
      .command('restart')
      .summary('bring a process back from its image')
      .description(
        'Brings a process back from its image, with the pid it had, all of it or nothing. Waits\n' +
          'for its end, passes signals on to it, and ends with its exit status, unless --detach.\n' +
          'An image is a program: restart only what you would run.',
      )
      .argument('[file]', 'image (standard input without it)')
      .option('-i, --input <file>', 'the same, as an option')
      .option('-d, --detach', 'print the pid and return at once')
      .addOption(
        new Option('--dry-run [format]', 'print the plan, run nothing: json (default) or text')
          .choices(['json', 'text'])
          .preset('json'),
      )
      .option('--trust-image', 'open what only the one who checkpointed could open')
      .option('--allow-changed', 'accept files that changed since the checkpoint'),
  )
    .addHelpText(
      'after',
      `
Examples:
  ckpt restart job.ckpt               waits for the process, ends as it ends
  ckpt restart --detach job.ckpt      prints its pid
  ssh host cat job.ckpt | ckpt restart`,
    )
    .action(restart);
}
