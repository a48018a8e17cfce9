import { createEngine, type Engine, type Verified } from '@ckpt/engine';
import { CkptError, escapeText } from '@ckpt/format';
import type { FdFile } from '@ckpt/io/node';
import { createReader } from '@ckpt/linux/reader';
import { exitStatus, type Cli } from '../cli.ts';
import { debugOptions } from '../engine-options.ts';
import { typeOf } from '../failure.ts';
import { openSource } from '../image-source.ts';
import { openLog } from '../log-file.ts';
import { trustSettings, type Common, type Trust } from '../options.ts';
import { createReporter } from '../progress.ts';
import { exactSize } from '../quantities.ts';

export interface VerifyOptions extends Common, Trust {
  readonly kernel?: readonly [number, number, number];
}

/** What `--json` says of an image: `pos` is the base's total when a defect was noticed. */
interface Verdict {
  readonly file: string;
  readonly ok: boolean;
  readonly errno: string | null;
  readonly pos: number | null;
  readonly type: string | null;
  readonly field: string | null;
  readonly message: string | null;
}

const noDefect = { type: null, field: null, message: null };

const good = (file: string, pos: number): Verdict => {
  return { file, ok: true, errno: null, pos, ...noDefect };
};

const bad = (file: string, error: CkptError): Verdict => ({
  file,
  ok: false,
  errno: error.code,
  pos: error.position ?? null,
  type: typeOf(error),
  field: error.field ?? null,
  message: error.sentence,
});

function goodLines({ out }: Cli, file: string, found: Verified, verbose: boolean): string {
  const { revision, length, pages, notes } = found;
  const stored = pages === 0 ? '' : `, ${pages} pages`;
  const head = `${escapeText(file)}: ${out.green('ok')}, revision ${revision}, `;
  const told = notes.map((note) => `  ${out.yellow('note:')} ${escapeText(note)}\n`);
  return `${head}${exactSize(length)}${verbose ? stored : ''}\n${told.join('')}`;
}

interface Check {
  readonly engine: Engine;
  readonly log: FdFile | undefined;
  readonly options: VerifyOptions;
}

/** What is to be said of one image. */
function judge(cli: Cli, file: string, { engine, log, options }: Check): [boolean, string] {
  const { json = false, verbose = false } = options;
  try {
    const image = openSource(file);
    try {
      const found = engine.verify(image, log);
      const verdict = json ? `${JSON.stringify(good(file, found.length))}\n` : undefined;
      return [true, verdict ?? goodLines(cli, file, found, verbose)];
    } finally {
      image.close();
    }
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    const text = `${escapeText(file)}: ${cli.out.red(escapeText(error.message))}`;
    return [false, `${json ? JSON.stringify(bad(file, error)) : text}\n`];
  }
}

/** Every file is looked at, whatever is wrong with those before it. */
export async function verify(
  cli: Cli,
  files: readonly string[],
  options: VerifyOptions,
): Promise<void> {
  const log = openLog(
    options.log,
    files.map((file) => (file === '-' ? 0 : file)),
  );
  const host = createReader();
  for (const file of files) {
    const reporter = await createReporter(cli, options.verbose ?? false);
    const engine = createEngine(host, {
      ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
      settings: trustSettings(options),
      ...debugOptions(options, cli.say),
      progress: reporter.tell,
    });
    const [ok, text] = judge(cli, file, { engine, log, options });
    reporter.end();
    cli.print(text);
    if (!ok) cli.status = exitStatus.failed;
  }
  log?.close();
}
