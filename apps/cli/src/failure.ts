import type { Obstacle, ObstacleError } from '@ckpt/engine';
import { CHECKPOINT_VERSION_PROCESS, CkptError, escapeText, recordName } from '@ckpt/format';
import { exitStatus, type Cli, type Style } from './cli.ts';

/** What to do next, by command and errno. */
const hints: Partial<Record<string, Partial<Record<string, string>>>> = {
  checkpoint: {
    EEXIST: '--force puts the new image in its place',
    ESRCH: 'ps -e shows the processes there are',
    ETIMEDOUT: '--deadline MS lets it stand still for longer',
  },
  check: { ESRCH: 'ps -e shows the processes there are' },
};

const asRoot: Partial<Record<string, string>> = {
  checkpoint: 'root may trace every process: sudo ckpt checkpoint ...',
  check: 'root may trace every process: sudo ckpt check ...',
};

/** By what it has: to read an image, nobody needs the engine that the class is from. */
function isObstacles(error: CkptError): error is ObstacleError {
  return 'obstacles' in error;
}

const trust =
  'what was opened with rights that the process gave up, --trust-image opens with yours';

function hintOf(error: CkptError, command: string): string | undefined {
  // Without a position it is about the image itself, or about a file that is written.
  if (command === 'restart' && error.code === 'EACCES' && error.position !== undefined) {
    return error.sentence.includes('--trust-image') ? undefined : trust;
  }
  if (error.code === 'EPERM' && process.geteuid?.() !== 0) return asRoot[command];
  return hints[command]?.[error.code];
}

/** Each obstacle with what would work, indented. */
export function obstacleLines(obstacles: readonly Obstacle[], style: Style): string {
  const lines = obstacles.map(({ thing, reason, remedy }) => {
    const line = `  ${style.bold(escapeText(thing))}: ${escapeText(reason)}\n`;
    return remedy === '' ? line : `${line}      ${style.dim('try:')} ${escapeText(remedy)}\n`;
  });
  return lines.join('');
}

/** What a person reads on standard error: the sentence, where, and what to do next. */
export function explain(error: CkptError, style: Style, command = ''): string {
  const head = style.red('ckpt:');
  if (isObstacles(error)) {
    const list = obstacleLines(error.obstacles, style);
    return `${head} this process cannot be checkpointed as it is:\n${list}`;
  }
  const hint = hintOf(error, command);
  const more = hint === undefined ? '' : `  ${style.dim('hint:')} ${hint}\n`;
  return `${head} ${escapeText(error.message)}\n${more}`;
}

/** The record an error is about, by name; null where it is about none. */
export function typeOf(error: CkptError): string | null {
  return error.type === undefined ? null : recordName(error.type, CHECKPOINT_VERSION_PROCESS);
}

/** An error for programs; `pos` is the base's total when it was noticed. */
export function asJson(error: CkptError): Record<string, unknown> {
  return {
    ok: false,
    errno: error.code,
    pos: error.position ?? null,
    type: typeOf(error),
    field: error.field ?? null,
    message: error.sentence,
    ...(error.path.length === 0 ? {} : { path: error.path.join('/') }),
    ...(isObstacles(error) ? { obstacles: error.obstacles } : {}),
  };
}

/** Tells a failure on standard error. What is no CkptError is a bug, and is thrown on. */
export function fail(cli: Cli, error: unknown, options: { json: boolean; command: string }): void {
  if (!(error instanceof CkptError)) throw error;
  cli.status = exitStatus.failed;
  const { json, command } = options;
  cli.say(json ? `${JSON.stringify(asJson(error))}\n` : explain(error, cli.err, command));
}
