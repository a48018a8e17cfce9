import type { Answer, Call, FileStat, Frozen, System } from '@ckpt/engine';
import type { RecordType } from '@ckpt/format';
import { CHECKPOINT_VERSION_PROCESS, Identity, Path, recordKind } from '@ckpt/format';
import { decodeText } from '@ckpt/io';
import {
  checkpointScope,
  fileStat,
  made,
  restoreScope,
  type Checkpointed,
  type FakeProcess,
  type Made,
  type Planned,
} from './fake-scope.ts';

/** A description of a made-up process, as /proc and probes show it. */
export interface Opened {
  /** Its descriptors; negative ones are close-on-exec: -1 - fd. */
  readonly fds: readonly number[];
  readonly link: string;
  /** F_GETFL */
  readonly flags?: number;
  readonly position?: bigint;
  readonly inode?: bigint;
  /** Further lines of fdinfo. */
  readonly lines?: string;
  readonly stat?: Partial<FileStat>;
  /** What a probe's call answers, by its name; the first argument that matters is given. */
  readonly answer?: (call: Call) => Partial<Answer> | undefined;
  /** revents of poll(2). */
  readonly events?: number;
  /** Bytes that tee(2) shows. */
  readonly content?: Uint8Array;
}

export const numberOf = (fd: number): number => (fd < 0 ? -1 - fd : fd);

const O_CLOEXEC = 0o2000000;

/** Content of /proc/PID/fdinfo/FD of Linux 6.18. */
function infoOf(opened: Opened, closeOnExec: boolean): string {
  const { flags = 2, position = 0n, inode = 1038n, lines = '' } = opened;
  const shown = (flags | (closeOnExec ? O_CLOEXEC : 0)).toString(8);
  return `pos:\t${position}\nflags:\t0${shown}\nmnt_id:\t17\nino:\t${inode}\n${lines}`;
}

const status =
  'Name:\tx\nUmask:\t0022\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t0\nSeccomp:\t0\n';

/** "4242 (x) S ppid pgrp session tty_nr tpgid ..." */
export const statLine = (tty = 0, foreground = -1): string =>
  `4242 (x) S 1 4242 4242 ${tty} ${foreground} ${'0 '.repeat(45)}`;

/** A scope around a process with these descriptions. */
export function descriptorScope(
  table: readonly Opened[],
  more: Pick<FakeProcess, 'read' | 'stat' | 'system' | 'options'> & {
    readonly frozen?: Partial<Frozen>;
  } = {},
): Checkpointed {
  const byFd = new Map(
    table.flatMap((opened) => opened.fds.map((fd) => [numberOf(fd), { opened, fd }] as const)),
  );
  const read: Record<string, string | Uint8Array> = { stat: statLine(), status, maps: '' };
  const link: Record<string, string> = {};
  const stat: Record<string, FileStat> = {};
  for (const [number, { opened, fd }] of byFd) {
    read[`fdinfo/${number}`] = infoOf(opened, fd < 0);
    link[`fd/${number}`] = opened.link;
    const found = fileStat({ ino: opened.inode ?? 1038n, ...opened.stat });
    stat[`fd/${number}`] = found;
    if (opened.link.startsWith('/') && found.nlink > 0) stat[`root${opened.link}`] = found;
  }
  const of = (fd: number): Opened | undefined => byFd.get(fd)?.opened;
  const order = (fd: number): number => table.indexOf(of(fd) ?? { fds: [], link: '' });
  return checkpointScope({
    ...more,
    read: { ...read, ...more.read },
    link,
    stat: { ...stat, ...more.stat },
    frozen: {
      list: () => [...byFd.keys()].map(String).sort(),
      sameFile: (_, a, b) => of(a) === of(b),
      compareFiles: (_, a, b) => order(a) - order(b),
      pollFile: (_, fd) => of(fd)?.events ?? 0,
      peekPipe: (_, fd) => of(fd)?.content ?? new Uint8Array(0),
      probe: (_, fd, calls) =>
        calls.map((call) => ({ result: -22n, out: [], ...of(fd)?.answer?.(call) })),
      ...more.frozen,
    },
  });
}

/** What was emitted, as the records of an image. */
function imageOf({ emitted }: Checkpointed): readonly Made[] {
  return emitted.flatMap(({ type, value, following, payloads }) => {
    const record = recordKind(type, CHECKPOINT_VERSION_PROCESS)?.record;
    if (record === undefined) throw new Error(`no record ${type}`);
    const bytes: Record<number, Uint8Array[]> = {};
    for (const payload of payloads) (bytes[payload.type] ??= []).push(payload.bytes);
    const arrays = following.flatMap((each) => (each instanceof Uint8Array ? [] : [each]));
    return [made(record, value, { arrays, bytes })];
  });
}

/** Files by their names as they were at the checkpoint, and a directory for new ones. */
function filesOf({ emitted }: Checkpointed): Readonly<Record<string, FileStat>> {
  const files: Record<string, FileStat> = { '/tmp': fileStat({ mode: 0o41777 }) };
  for (const { type, value, payloads } of emitted) {
    const [name] = payloads;
    if (type !== Path.type || name === undefined) continue;
    const { device: dev, inode: ino, ...path } = value as Path;
    if (path.nlink > 0) files[decodeText(name.bytes)] = { ...path, dev, ino };
  }
  return files;
}

/** An image's identity: names of new files contain it. */
const identity = made(Identity, {
  uuid: new Uint8Array(16).fill(0xab),
  parent: new Uint8Array(16),
  boot_id: new Uint8Array(16),
  page_size: 4096,
  alignment: 4096,
});

/** A plan for what was emitted, on a machine where all files of the process are still there. */
export function planned(
  scope: Checkpointed,
  restore: (scope: Planned) => void,
  more: {
    readonly options?: Readonly<Record<string, unknown>>;
    readonly files?: Readonly<Record<string, FileStat>>;
    readonly starts?: Readonly<Record<number, bigint>>;
    readonly system?: Partial<System>;
    /** What becomes of the image before it is restored. */
    readonly change?: (image: readonly Made[]) => readonly Made[];
  } = {},
): Planned {
  const { options = {}, files = {}, starts = {}, system = {}, change } = more;
  const whole: readonly Made[] = [identity, ...imageOf(scope)];
  const image = change === undefined ? whole : change(whole);
  const plan = restoreScope(image, {
    ...{ options, system, starts },
    files: { ...filesOf(scope), ...files },
  });
  restore(plan);
  return plan;
}

/** Changes fields of all records of a type. */
export function changing<T>(record: RecordType<T>, fields: Partial<T>) {
  return (image: readonly Made[]): readonly Made[] =>
    image.map((one) =>
      one.record.type === record.type ? { ...one, value: { ...(one.value as T), ...fields } } : one,
    );
}

/** A room that holds one 32-bit word. */
export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
