import { createEngine, planToJson, planToText, type Host, type Plan } from '@ckpt/engine';
import type { FdFile } from '@ckpt/io/node';
import { createReader } from '@ckpt/linux/reader';
import type { Cli } from '../cli.ts';
import { debugOptions } from '../engine-options.ts';
import { openLog } from '../log-file.ts';
import type { Common } from '../options.ts';
import { notesText } from './notes.ts';
import { settingsOf, type Settings } from './settings.ts';

export interface DryRunOptions extends Common, Settings {
  readonly text?: true;
}

/** Ids that the plan needs and somebody has, as sentences. */
function busy(plan: Plan, host: Host): readonly string[] {
  return plan.steps.flatMap((step) => {
    if (step.op !== 'spawn' || step.pid === 0) return [];
    const holder = host.holder(step.pid);
    return holder === undefined
      ? []
      : [`now it would be refused: pid ${step.pid} is in use by ${holder}`];
  });
}

/** Prints what a restart would do. Looking takes no native code and no privilege. */
export function dryRun(cli: Cli, image: FdFile, options: DryRunOptions): void {
  const host = createReader();
  const log = openLog(options.log, [image.fd]);
  const settings = settingsOf(options);
  const engine = createEngine(host, { settings, ...debugOptions(options, cli.say) });
  try {
    const plan = engine.plan(image, log);
    if (options.text) cli.print(planToText(plan));
    else cli.print(`${JSON.stringify(planToJson(plan), undefined, 2)}\n`);
    cli.say(notesText(cli, busy(plan, host)));
  } finally {
    log?.close();
  }
}
