import { decodeText } from '@ckpt/io';
import type { FileStat } from '../file-stat.ts';
import { anonymousStat } from './eventfd.ts';
import { S_IFREG } from './file-system.ts';
import { setCoreFilter } from './mm-extras.ts';
import type { FileObject, OpenFile } from './open-file.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller } from './system-call.ts';

const CAP_SYS_RESOURCE = 24;
const scoreMax = 1000;

/** /proc/self/oom_score_adj (proc_pid_oom_score_adj(5)). */
class OomScore implements FileObject {
  readonly isSeekable = true;
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  link(): string {
    return `/proc/${this.#caller.process.pid}/oom_score_adj`;
  }

  stat(): FileStat {
    return { ...anonymousStat(1n), mode: S_IFREG | 0o644 };
  }

  write(_file: OpenFile, bytes: Uint8Array): number {
    const { process, thread } = this.#caller;
    const text = decodeText(bytes).trim();
    if (!/^-?\d+$/.test(text)) refuse('EINVAL', `"${text}" is no score`);
    const score = Number(text);
    if (Math.abs(score) > scoreMax) refuse('EINVAL', `a score of ${score}`);
    if (score < process.oomScoreMin && !thread.credentials.can(CAP_SYS_RESOURCE)) {
      refuse('EACCES', 'less takes CAP_SYS_RESOURCE');
    }
    if (thread.credentials.can(CAP_SYS_RESOURCE)) process.oomScoreMin = score;
    process.oomScoreAdjust = score;
    return bytes.length;
  }
}

/** /proc/self/coredump_filter (core(5)). */
class CoreFilter implements FileObject {
  readonly isSeekable = true;
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  link(): string {
    return `/proc/${this.#caller.process.pid}/coredump_filter`;
  }

  stat(): FileStat {
    return { ...anonymousStat(1n), mode: S_IFREG | 0o644 };
  }

  write(_file: OpenFile, bytes: Uint8Array): number {
    setCoreFilter(this.#caller.process, decodeText(bytes));
    return bytes.length;
  }
}

/** What a path below /proc/self leads to, descriptors apart. */
export function procSelf(caller: Caller, path: string): FileObject {
  if (path === '/proc/self/oom_score_adj') return new OomScore(caller);
  if (path === '/proc/self/coredump_filter') return new CoreFilter(caller);
  throw new Unmodelled(`file ${path}`);
}
