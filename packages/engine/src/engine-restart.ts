import { CKPT_CTX_RESTART, CkptError } from '@ckpt/format';
import type { CkptFile } from '@ckpt/io';
import { ckptDebug } from '@ckpt/log';
import { createContext, withoutRestart, type Context } from './context.ts';
import type { Restarted, Verified } from './engine-api.ts';
import { checkFlags } from './engine-checkpoint.ts';
import type { Host } from './host.ts';
import type { Progress, Settled } from './options.ts';
import type { Plan } from './plan.ts';
import { report, reportNotes } from './report.ts';
import { checkFree, readImage, type ReadGround, type ReadImage } from './restart.ts';

interface Reading {
  readonly pid: number;
  readonly file: CkptFile;
  readonly logFile: CkptFile | undefined;
}

/** Runs what reads an image in a context of its own; its failure is logged once. */
function reading<T>(options: Settled, { pid, ...files }: Reading, use: (ctx: Context) => T): T {
  const asked = { ...files, rootPid: pid, kflags: CKPT_CTX_RESTART };
  const ctx = createContext({ ...asked, ...options.log }, 'read');
  try {
    return use(ctx);
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    const mapped = withoutRestart(error);
    report(ctx, mapped, false);
    throw mapped;
  }
}

/** What images are planned for: the host's machine, or none. */
function groundOf(
  host: Host | undefined,
  { kernel, settings, progress: tell }: Settled,
  phase: Progress['phase'],
): ReadGround {
  const progress = (done: number, total: number): void => {
    tell({ phase, done, total });
  };
  const ground = { kernel, options: settings, progress };
  if (host === undefined) return ground;
  const stat = (path: string) => host.stat(path);
  const contents = host.contents?.bind(host);
  const startTime = (pid: number) => host.startTime?.(pid);
  const { resources } = host;
  return { ...ground, machine: { system: host.system(), resources, stat, contents, startTime } };
}

/** Reads an image and its plan, which there is where there is a machine. */
function planned(ctx: Context, host: Host, options: Settled): ReadImage & { readonly plan: Plan } {
  options.progress({ phase: 'read', done: 0, total: 0 });
  const image = readImage(ctx, groundOf(host, options, 'run'));
  const { plan } = image;
  if (plan === undefined) throw new Error('an image without a plan');
  ckptDebug(ctx, 'task %d\n', 0);
  return { ...image, plan };
}

/** Restarts for one engine. */
export function createRestart(host: Host, options: Settled) {
  return (pid: number, file: CkptFile, flags = 0, logFile?: CkptFile): Restarted => {
    checkFlags(flags);
    return reading(options, { pid, file, logFile }, (ctx) => {
      const { plan, revision, reader } = planned(ctx, host, options);
      checkFree(plan, host);
      options.progress({ phase: 'run', done: 0, total: 0 });
      const running = host.run(plan, file, reader);
      reportNotes(ctx, [...plan.notes, ...running.warnings]);
      return { status: 0, revision, plan, running };
    });
  };
}

/** Plans for one engine. */
export function createPlan(host: Host, options: Settled) {
  return (file: CkptFile, logFile?: CkptFile): Plan =>
    reading(options, { pid: 0, file, logFile }, (ctx) => planned(ctx, host, options).plan);
}

/** Verifies images, against a machine if there is one. */
export function createVerify(host: Host | undefined, options: Settled) {
  return (file: CkptFile, logFile?: CkptFile): Verified =>
    reading(options, { pid: 0, file, logFile }, (ctx) => {
      const { revision, plan, pages, reader } = readImage(ctx, groundOf(host, options, 'read'));
      reader.finish();
      return { revision, length: ctx.total, pages, notes: plan?.notes ?? [] };
    });
}
