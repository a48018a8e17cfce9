import { decodeText } from '@ckpt/io';

/** Both in the unit of the resource; all ones is no limit. */
export interface Limit {
  readonly soft: bigint;
  readonly hard: bigint;
}

/** RLIM_INFINITY of getrlimit(2). */
export const unlimited = 0xffff_ffff_ffff_ffffn;

/** As /proc/PID/limits calls the resources, and as setrlimit(2) does, in the order of RLIMIT_*. */
export const limitNames = [
  ['cpu time', 'RLIMIT_CPU'],
  ['file size', 'RLIMIT_FSIZE'],
  ['data size', 'RLIMIT_DATA'],
  ['stack size', 'RLIMIT_STACK'],
  ['core file size', 'RLIMIT_CORE'],
  ['resident set', 'RLIMIT_RSS'],
  ['processes', 'RLIMIT_NPROC'],
  ['open files', 'RLIMIT_NOFILE'],
  ['locked memory', 'RLIMIT_MEMLOCK'],
  ['address space', 'RLIMIT_AS'],
  ['file locks', 'RLIMIT_LOCKS'],
  ['pending signals', 'RLIMIT_SIGPENDING'],
  ['msgqueue size', 'RLIMIT_MSGQUEUE'],
  ['nice priority', 'RLIMIT_NICE'],
  ['realtime priority', 'RLIMIT_RTPRIO'],
  ['realtime timeout', 'RLIMIT_RTTIME'],
] as const;

const amount = (text: string): bigint => (text === 'unlimited' ? unlimited : BigInt(text));

/** Reads /proc/PID/limits: resource 0 first; undefined when a line is not as expected. */
export function parseLimits(bytes: Uint8Array): readonly Limit[] | undefined {
  const lines = new Map<string, Limit>();
  for (const line of decodeText(bytes).split('\n')) {
    const [, name, soft, hard] = /^Max (.+?) {2,}(\d+|unlimited) +(\d+|unlimited)/.exec(line) ?? [];
    if (name === undefined || soft === undefined || hard === undefined) continue;
    lines.set(name, { soft: amount(soft), hard: amount(hard) });
  }
  const limits = limitNames.flatMap(([name]) => lines.get(name) ?? []);
  return limits.length === limitNames.length ? limits : undefined;
}
