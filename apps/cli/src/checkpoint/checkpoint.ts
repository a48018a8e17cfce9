import { createEngine, type Checkpointed } from '@ckpt/engine';
import { escapeText } from '@ckpt/format';
import type { NewImage } from '@ckpt/io/node';
import { createLinuxHost } from '@ckpt/linux/host';
import type { Cli } from '../cli.ts';
import { debugOptions } from '../engine-options.ts';
import { openLog } from '../log-file.ts';
import { outsideSettings, type Common, type Outside } from '../options.ts';
import { createReporter } from '../progress.ts';
import { exactSize, timeText } from '../quantities.ts';
import { UsageError } from '../usage-error.ts';
import { settingsOf } from '../restart/settings.ts';
import { openTarget } from './target.ts';

export interface CheckpointOptions extends Common, Outside {
  readonly output?: string;
  readonly kill?: true;
  readonly verify?: true;
  readonly selfContained?: true;
  readonly force?: true;
  readonly revision: '3' | '100';
  readonly deadline?: number;
}

function summary({ err }: Cli, made: Checkpointed, options: CheckpointOptions): string {
  const where = options.output === undefined ? 'standard output' : escapeText(options.output);
  const stored = options.verbose ? `, ${made.pages} pages` : '';
  const frozen = `frozen for ${timeText(made.frozenMs)}`;
  const notes = made.notes.map((note) => `  ${err.yellow('note:')} ${escapeText(note)}\n`);
  return (
    `${err.green('checkpointed')} process ${made.pid} to ${where}: ${exactSize(made.length)}` +
    `${stored}, ${frozen}; ${options.kill ? 'it was killed' : 'it goes on'}\n${notes.join('')}`
  );
}

function asJson(made: Checkpointed, options: CheckpointOptions): string {
  const { pid, revision, length, pages, frozenMs, notes } = made;
  const about = { ok: true, pid, file: options.output ?? null, revision, length, pages };
  const frozen = Number(frozenMs.toFixed(3));
  return JSON.stringify({ ...about, frozenMs: frozen, killed: options.kill ?? false, notes });
}

/** Results go to standard error where the image takes standard output. */
function tell(cli: Cli, made: Checkpointed, options: CheckpointOptions): void {
  if (!options.json) cli.say(summary(cli, made, options));
  else if (options.output === undefined) cli.say(`${asJson(made, options)}\n`);
  else cli.print(`${asJson(made, options)}\n`);
}

/** Gives the image up; why it failed tells more than that this failed too. */
function giveUp(target: NewImage): void {
  try {
    target.abort();
  } catch {
    // The first error is on its way.
  }
}

/** @throws UsageError for what revision 3 cannot do. */
function checkUsage({ revision, kill, verify, selfContained }: CheckpointOptions): void {
  if (revision !== '3') return;
  const what = 'an image of revision 3 holds no program';
  if (kill) throw new UsageError(`${what}: --kill would lose the process`);
  if (verify) throw new UsageError(`${what}: there is nothing to --verify`);
  if (selfContained) throw new UsageError(`${what}: nothing makes it self-contained`);
}

export async function checkpoint(cli: Cli, pid: number, asked: CheckpointOptions): Promise<void> {
  const { output, ...others } = asked;
  const options: CheckpointOptions = output === undefined || output === '-' ? others : asked;
  checkUsage(options);
  let left = () => Infinity;
  const deadline = () => left();
  // Whoever reads standard error must not keep a frozen process waiting.
  const later: string[] = [];
  const log = openLog(options.log, [options.output ?? 1], deadline);
  const reporter = await createReporter(cli, options.verbose ?? false);
  const engineOptions = {
    revision: options.revision === '3' ? 3 : 100,
    kill: options.kill ?? false,
    ...(options.verify ? { verify: true } : {}),
    settings: {
      ...(options.verify ? settingsOf({ trustImage: true }) : {}),
      ...outsideSettings(options),
      selfContained: options.selfContained ?? false,
    },
    onFreeze: (leftMs: () => number) => {
      left = leftMs;
    },
    progress: reporter.tell,
    ...(options.deadline === undefined ? {} : { deadlineMs: options.deadline }),
    ...debugOptions(options, (line) => later.push(line)),
  } as const;
  let made: Checkpointed;
  try {
    const target = openTarget(options.output, { deadline, force: options.force ?? false });
    try {
      const durable = () => {
        target.commit();
      };
      const engine = createEngine(createLinuxHost(), { ...engineOptions, durable });
      made = engine.checkpoint(pid, target.file, 0, log);
      target.commit();
    } catch (error) {
      giveUp(target);
      throw error;
    }
  } finally {
    reporter.end();
    cli.say(later.join(''));
    log?.close();
  }
  tell(cli, made, options);
}
