import type { Command } from 'commander';
import { CHECKPOINT_VERSION_PROCESS, CkptError, recordName } from '@ckpt/format';
import { createEngine, type Engine, type Verified } from '@ckpt/engine';
import { createReader } from '@ckpt/linux/reader';
import { openImage } from '@ckpt/io/node';
import { asJson, exitStatus } from '../failure.ts';
import { debugOptions, kernelVersion, openLog, withCommon, type Common } from '../options.ts';
import { escape, sizeText, style } from '../terminal.ts';

interface Options extends Common {
  readonly kernel?: readonly [number, number, number];
}

/** The first defect of an image, for programs: `pos` is the base's total when it was noticed. */
function defect(file: string, error: CkptError): Record<string, unknown> {
  const { errno, pos, field, message } = asJson(error);
  return {
    file,
    ok: false,
    errno,
    pos: pos ?? null,
    type: error.type === undefined ? null : recordName(error.type, CHECKPOINT_VERSION_PROCESS),
    field: field ?? null,
    message,
  };
}

function good(file: string, found: Verified): Record<string, unknown> {
  return { file, ok: true, errno: null, pos: found.length, type: null, field: null, message: 'ok' };
}

function one(engine: Engine, path: string, options: Options): boolean {
  const log = openLog(options.log);
  try {
    const image = openImage(path);
    try {
      const found = engine.verify(image, log);
      if (options.json) console.log(JSON.stringify(good(path, found)));
      else {
        console.log(`${escape(path)}: ok, revision ${found.revision}, ${sizeText(found.length)}`);
        for (const note of found.notes) console.log(`  ${style.yellow('note:')} ${escape(note)}`);
      }
      return true;
    } finally {
      image.close();
    }
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    if (options.json) console.log(JSON.stringify(defect(path, error)));
    else console.log(`${escape(path)}: ${style.red(escape(error.message))}`);
    return false;
  } finally {
    log?.close();
  }
}

export function verify(files: readonly string[], options: Options): void {
  const engine = createEngine(createReader(), {
    ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
    ...debugOptions(options),
  });
  const bad = files.filter((file) => !one(engine, file, options));
  if (bad.length > 0) process.exitCode = exitStatus.failed;
}

export function addVerify(program: Command): void {
  withCommon(
    program
      .command('verify')
      .summary('check images without restarting anything')
      .description(
        'Makes every check of a restart on this machine, and restarts nothing. Says ok, or the\n' +
          'first defect: errno, position, record, field. Exit status 0 when all are good.',
      )
      .argument('<file...>', 'images')
      .option(
        '--kernel <version>',
        'kernel that revision 3 images must come from, as restart of the base demands',
        kernelVersion,
      ),
  ).action(verify);
}
