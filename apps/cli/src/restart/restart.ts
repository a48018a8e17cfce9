import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { createEngine, type Restarted } from '@ckpt/engine';
import type { FdFile } from '@ckpt/io/node';
import type { Cli } from '../cli.ts';
import { debugOptions } from '../engine-options.ts';
import { openSource } from '../image-source.ts';
import { openLog } from '../log-file.ts';
import type { Common } from '../options.ts';
import { createReporter } from '../progress.ts';
import { timeText } from '../quantities.ts';
import { UsageError } from '../usage-error.ts';
import { frontOf, type Front } from './front.ts';
import { notesText } from './notes.ts';
import { relaySignals } from './relay.ts';
import { settingsOf, type Settings } from './settings.ts';

export interface RestartOptions extends Common, Settings {
  readonly input?: string;
  readonly dryRun?: true;
  readonly text?: true;
}

function source(file: string | undefined, { input }: RestartOptions): FdFile {
  if (file !== undefined && input !== undefined) {
    throw new UsageError('an image is named twice: once is enough');
  }
  const path = file ?? input ?? '-';
  if (path === '-' && isatty(0)) {
    throw new UsageError('standard input is a terminal: name an image, or redirect one to it');
  }
  return openSource(path);
}

function tell(cli: Cli, restarted: Restarted, options: RestartOptions, ms: number): void {
  const { running, plan, revision } = restarted;
  const { pid, warnings } = running;
  const notes = [...plan.notes, ...warnings];
  if (options.json) {
    cli.print(`${JSON.stringify({ ok: true, pid, revision, notes })}\n`);
    return;
  }
  cli.say(notesText(cli, notes));
  if (options.detach) cli.print(`${pid}\n`);
  if (!options.verbose) return;
  const { pages } = plan.store;
  const count = `${plan.steps.length} steps, ${pages} pages`;
  cli.say(`${cli.err.green('restarted')} process ${pid} in ${timeText(ms)}: ${count}\n`);
}

/** Ends as the process ended: with its exit status, or 128 and the signal that killed it. */
function endAs(cli: Cli, status: number): void {
  const signal = status & 0x7f;
  if (signal === 0) {
    cli.status = (status >> 8) & 0xff;
    return;
  }
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  cli.say(`ckpt: the process was killed by ${name ?? `signal ${signal}`}\n`);
  cli.status = 128 + signal;
}

/** A process that was brought back, and our terminal, whose foreground it may have. */
interface BroughtBack extends Restarted {
  readonly front: Front;
}

async function bringBack(cli: Cli, image: FdFile, options: RestartOptions): Promise<BroughtBack> {
  const { createLinuxHost, setForeground } = await import('@ckpt/linux/host');
  const log = openLog(options.log, [image.fd]);
  const reporter = await createReporter(cli, options.verbose ?? false);
  const settings = settingsOf(options);
  const front = frontOf(settings.foreground === true, setForeground);
  const engine = createEngine(createLinuxHost(), {
    progress: reporter.tell,
    settings,
    ...debugOptions(options, cli.say),
  });
  const started = performance.now();
  let restarted: Restarted;
  try {
    restarted = engine.restart(0, image, 0, log);
  } catch (error) {
    front.takeBack();
    throw error;
  } finally {
    reporter.end();
    log?.close();
  }
  tell(cli, restarted, options, performance.now() - started);
  return { ...restarted, front };
}

export async function restart(
  cli: Cli,
  file: string | undefined,
  options: RestartOptions,
): Promise<void> {
  if (options.text && !options.dryRun) throw new UsageError('--text goes with --dry-run');
  const image = source(file, options);
  let restarted: BroughtBack;
  try {
    if (options.dryRun) {
      const { dryRun } = await import('./dry-run.ts');
      dryRun(cli, image, options);
      return;
    }
    restarted = await bringBack(cli, image, options);
  } finally {
    image.close();
  }
  if (options.detach) return;
  const { running, front } = restarted;
  const stop = relaySignals(cli, running.pid, front);
  const status = await running.wait();
  stop();
  front.takeBack();
  endAs(cli, status);
}
