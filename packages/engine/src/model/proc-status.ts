import { decodeText } from '@ckpt/io';
import type { Ids } from './credentials.ts';
import type { ModelProcess } from './process.ts';
import type { ModelThread } from './thread.ts';

const set = (mask: bigint): string => mask.toString(16).padStart(16, '0');

const idsText = ({ real, effective, saved, fs }: Ids): string =>
  [real, effective, saved, fs].join('\t');

function cpuText(mask: Uint8Array): string {
  const view = new DataView(mask.buffer, mask.byteOffset, mask.length);
  const words = Array.from({ length: mask.length / 4 }, (_, index) =>
    view.getUint32(index * 4, true),
  );
  while (words.length > 1 && words.at(-1) === 0) words.pop();
  const [first = 0, ...rest] = words.reverse();
  return [first.toString(16), ...rest.map((word) => word.toString(16).padStart(8, '0'))].join(',');
}

function pendingSet(infos: readonly Uint8Array[]): bigint {
  const signals = infos.map((info) => new DataView(info.buffer, info.byteOffset).getInt32(0, true));
  return signals.reduce((mask, signal) => mask | (1n << BigInt(signal - 1)), 0n);
}

const name = (comm: Uint8Array): string => decodeText(comm).replaceAll('\n', '\\n');

/** /proc/PID/status, or that of one thread, as far as anybody here reads it. */
export function statusText(process: ModelProcess, thread: ModelThread): string {
  const { credentials } = thread;
  const caps = credentials.capabilities;
  const { signals } = process;
  const lines: readonly (readonly [string, string | number])[] = [
    ['Name', name(thread.comm)],
    ['Umask', process.umask.toString(8).padStart(4, '0')],
    ['State', 't (tracing stop)'],
    ['Tgid', process.pid],
    ['Ngid', 0],
    ['Pid', thread.tid],
    ['PPid', 1],
    ['Uid', idsText(credentials.uid)],
    ['Gid', idsText(credentials.gid)],
    ['Groups', `${credentials.groups.join(' ')} `],
    ['NStgid', process.pid],
    ['NSpid', thread.tid],
    ['Threads', process.threads.size],
    ['SigPnd', set(pendingSet(thread.pending))],
    ['ShdPnd', set(pendingSet(signals.pending))],
    ['SigBlk', set(thread.mask)],
    ['SigIgn', set(signals.where((handler) => handler === 1n))],
    ['SigCgt', set(signals.where((handler) => handler > 1n))],
    ['CapInh', set(caps.inheritable)],
    ['CapPrm', set(caps.permitted)],
    ['CapEff', set(caps.effective)],
    ['CapBnd', set(caps.bounding)],
    ['CapAmb', set(caps.ambient)],
    ['NoNewPrivs', thread.noNewPrivs ? 1 : 0],
    ['Seccomp', 0],
    ['Cpus_allowed', cpuText(thread.affinity)],
  ];
  return lines.map(([key, value]) => `${key}:\t${value}\n`).join('');
}

/** /proc/PID/stat (proc_pid_stat(5)): what only counts what has been is 0. */
export function statText(process: ModelProcess, thread: ModelThread): string {
  const { mm } = process;
  const { nice, priority, policy } = thread.scheduling;
  const words = new Array<bigint | number | string>(52).fill(0);
  const set52 = (values: Readonly<Record<number, bigint | number | string>>): void => {
    for (const [field, value] of Object.entries(values)) words[Number(field) - 1] = value;
  };
  set52({
    ...{ 1: thread.tid, 2: `(${decodeText(thread.comm)})`, 3: 't', 4: 1, 5: process.group },
    ...{ 6: process.session, 7: process.terminal, 8: process.foreground, 9: 0x40_0000 },
    18: priority > 0 ? -1 - priority : 20 + nice,
    ...{ 19: nice, 20: process.threads.size, 22: process.startTime },
    ...{ 26: mm.startCode, 27: mm.endCode, 28: mm.startStack },
    ...{ 38: 17, 40: priority, 41: policy },
    ...{ 45: mm.startData, 46: mm.endData, 47: mm.startBrk },
    ...{ 48: mm.argStart, 49: mm.argEnd, 50: mm.envStart, 51: mm.envEnd },
  });
  return `${words.join(' ')}\n`;
}
