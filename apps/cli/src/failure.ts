import { CkptError } from '@ckpt/format';
import { ObstacleError } from '@ckpt/engine';
import { escape, style } from './terminal.ts';

/** 0 done, 1 refused or failed, 2 usage: see `ckpt --help`. */
export const exitStatus = { done: 0, failed: 1, usage: 2 } as const;

/** Wrong words on the command line: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const remedies: Partial<Record<string, string>> = {
  EPERM: 'root may do it: try sudo',
  ESRCH: 'ps -e lists the pids there are',
  EPIPE: 'the image ends too early: its writing was cut short',
};

/** What a person reads on standard error: the sentence, where, and what to do next. */
export function explain(error: CkptError): string {
  const lines = [`${style.red('ckpt:')} ${escape(error.message)}`];
  if (error instanceof ObstacleError) {
    lines[0] = `${style.red('ckpt:')} this process cannot be checkpointed as it is:`;
    for (const { thing, reason, remedy } of error.obstacles) {
      lines.push(`  ${style.bold(escape(thing))}: ${escape(reason)}`);
      if (remedy !== '') lines.push(`      ${style.dim('try:')} ${escape(remedy)}`);
    }
  } else {
    const remedy = remedies[error.code];
    if (remedy !== undefined) lines.push(`  ${style.dim('hint:')} ${remedy}`);
  }
  return lines.join('\n');
}

/** The same for programs. */
export function asJson(error: CkptError): Record<string, unknown> {
  return {
    ok: false,
    errno: error.code,
    ...(error.position === undefined ? {} : { pos: error.position }),
    ...(error.path.length === 0 ? {} : { path: error.path.join('/') }),
    ...(error.field === undefined ? {} : { field: error.field }),
    message: error.sentence,
    ...(error instanceof ObstacleError ? { obstacles: error.obstacles } : {}),
  };
}

/** Tells a failure and sets the exit status. What is neither CkptError nor usage is a bug: thrown on. */
export function fail(error: unknown, json: boolean): void {
  if (error instanceof UsageError) {
    console.error(`ckpt: ${error.message}`);
    process.exitCode = exitStatus.usage;
    return;
  }
  if (!(error instanceof CkptError)) throw error;
  console.error(json ? JSON.stringify(asJson(error)) : explain(error));
  process.exitCode = exitStatus.failed;
}
