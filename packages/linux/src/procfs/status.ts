import { decodeText } from '@ckpt/io';

/** Real, effective, saved, and the one for files. */
interface Ids {
  readonly real: number;
  readonly effective: number;
  readonly saved: number;
  readonly fs: number;
}

/** What is used of /proc/PID/status (proc_pid_status(5)). */
export interface Status {
  readonly umask: number;
  readonly uid: Ids;
  readonly gid: Ids;
  /** Supplementary groups, ascending. */
  readonly groups: readonly number[];
  /** Capability sets, one bit each (capabilities(7)). */
  readonly capabilities: {
    readonly inheritable: bigint;
    readonly permitted: bigint;
    readonly effective: bigint;
    readonly bounding: bigint;
    readonly ambient: bigint;
  };
  readonly noNewPrivs: number;
  /** 0 none, 1 strict, 2 filters. */
  readonly seccomp: number;
  /** Processors it may run on, one bit each, little endian, whole 8-byte words. */
  readonly cpusAllowed: Uint8Array;
  /** "shstk wrss": features in use of x86 (x86_Thread_features); empty when there are none. */
  readonly shadowStack: string;
}

/** Fields by name, as they stand there. */
function fields(text: string): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) map.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return map;
}

const numbers = (text: string): number[] => text.split(/\s+/).filter(Boolean).map(Number);

function ids(text: string): Ids {
  const [real = 0, effective = 0, saved = 0, fs = 0] = numbers(text);
  return { real, effective, saved, fs };
}

/** "ff,00000001": 32 processors a word, the highest first. */
export function parseCpuMask(text: string): Uint8Array {
  const words = text.split(',').reverse();
  const mask = new Uint8Array(Math.ceil(words.length / 2) * 8);
  const view = new DataView(mask.buffer);
  for (const [index, word] of words.entries()) {
    view.setUint32(index * 4, Number.parseInt(word, 16) || 0, true);
  }
  return mask;
}

/** Reads /proc/PID/status or /proc/PID/task/TID/status; what is missing there is 0. */
export function parseStatus(bytes: Uint8Array): Status {
  const map = fields(decodeText(bytes));
  const get = (name: string): string => map.get(name) ?? '';
  const set = (name: string): bigint => BigInt(`0x${get(name) || '0'}`);
  return {
    umask: Number.parseInt(get('Umask') || '0', 8),
    uid: ids(get('Uid')),
    gid: ids(get('Gid')),
    groups: numbers(get('Groups')),
    capabilities: {
      inheritable: set('CapInh'),
      permitted: set('CapPrm'),
      effective: set('CapEff'),
      bounding: set('CapBnd'),
      ambient: set('CapAmb'),
    },
    noNewPrivs: Number(get('NoNewPrivs') || '0'),
    seccomp: Number(get('Seccomp') || '0'),
    cpusAllowed: parseCpuMask(get('Cpus_allowed')),
    shadowStack: get('x86_Thread_features'),
  };
}
