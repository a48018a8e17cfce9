import { linuxCrRecords } from './linux-cr.ts';
import { ArrayHeader } from './records/array.ts';
import * as base from './records/base.ts';
import { CKPT_HDR_CPU_FPU, Cpu } from './records/cpu.ts';
import { Clocks } from './records/clocks.ts';
import { Cred } from './records/cred.ts';
import { EpollItems } from './records/epoll.ts';
import { Inotify } from './records/inotify.ts';
import { Eventfd } from './records/eventfd.ts';
import { Features } from './records/features.ts';
import { File, FileTable } from './records/file.ts';
import { Fs } from './records/fs.ts';
import { HeaderArch } from './records/header-arch.ts';
import { Identity } from './records/identity.ts';
import { Inherited } from './records/inherited.ts';
import { IoUring } from './records/io-uring.ts';
import { Mm } from './records/mm.ts';
import { PageMap } from './records/page-map.ts';
import * as pages from './records/pages.ts';
import { CKPT_HDR_FILE_NAME, Path } from './records/path.ts';
import { Pipe } from './records/pipe.ts';
import { PosixTimer } from './records/posix-timer.ts';
import { RestartBlock } from './records/restart-block.ts';
import { Shm } from './records/shm.ts';
import { Sighand } from './records/sighand.ts';
import { Signalfd } from './records/signalfd.ts';
import { Signal } from './records/signal.ts';
import { Sigpending } from './records/sigpending.ts';
import { SocketInet } from './records/socket-inet.ts';
import { Socket } from './records/socket.ts';
import { ProcessTask } from './records/task.ts';
import { Thread } from './records/thread.ts';
import { Timerfd } from './records/timerfd.ts';
import { Tree } from './records/tree.ts';
import { Tty } from './records/tty.ts';
import { Vma } from './records/vma.ts';
import type { RecordType } from './struct.ts';

/** What is known of a record number. */
export interface RecordKind {
  readonly type: number;
  readonly name: string;
  /**
   * - `fields`: declared here, see `record`;
   * - `payload`: raw bytes behind the header;
   * - `reserved`: a number of this revision without a layout yet;
   * - `foreign`: a number of later Linux-CR that this revision does not use.
   */
  readonly content: 'fields' | 'payload' | 'reserved' | 'foreign';
  readonly doc: string;
  readonly record?: RecordType<unknown>;
}

const fields = (record: RecordType<unknown>): RecordKind => ({
  type: record.type,
  name: record.name,
  content: 'fields',
  doc: record.doc,
  record,
});
const payload = (type: number, name: string, doc: string): RecordKind => ({
  type,
  name,
  content: 'payload',
  doc,
});
const reserved = (type: number, name: string, doc: string): RecordKind => ({
  type,
  name,
  content: 'reserved',
  doc,
});

/** The same in both revisions. */
const common = [
  fields(base.Header),
  fields(base.Container),
  payload(base.CKPT_HDR_BUFFER, 'BUFFER', 'Bytes that belong to the record before it.'),
  payload(base.CKPT_HDR_STRING, 'STRING', 'Text that belongs to the record before it.'),
  fields(base.Tail),
  fields(base.ErrorRecord),
];

const full = [
  ...[HeaderArch, Tree, ProcessTask, RestartBlock, Thread, Cpu, Cred],
  ...[FileTable, File, Tty, EpollItems, Path, Pipe, Eventfd, IoUring, Timerfd, Signalfd, Inherited],
  ...[Inotify],
  ...[Mm, Vma, Shm, Fs, Sighand, Signal, Sigpending, PosixTimer, Socket, SocketInet],
  ...[Features, Identity, ArrayHeader, PageMap, Clocks, pages.Store, pages.MetaEnd, pages.Pages],
].map(fields);

const fullOnly = [
  payload(CKPT_HDR_CPU_FPU, 'CPU_FPU', 'The xstate area of a thread.'),
  payload(CKPT_HDR_FILE_NAME, 'FILE_NAME', 'A path, no NUL at its end.'),
  payload(pages.CKPT_HDR_PAD, 'PAD', 'Zeros, so that the payload of the next PAGES is aligned.'),
  reserved(6, 'OBJREF', 'An object that was written before.'),
  reserved(103, 'PIDS', 'Ids of threads in nested pid namespaces.'),
  reserved(pages.CKPT_HDR_PAGES_DIGEST, 'PAGES_DIGEST', 'Digests of stored pages, per chunk.'),
  reserved(pages.CKPT_HDR_ROOT, 'ROOT', 'One digest over all.'),
  reserved(pages.CKPT_HDR_SIGNATURE, 'SIGNATURE', 'A signature of ROOT.'),
  reserved(pages.CKPT_HDR_ENVELOPE, 'ENVELOPE', 'How the rest of the image is sealed.'),
  reserved(pages.CKPT_HDR_LINK, 'LINK', 'A reference that closes a cycle between objects.'),
];

const linuxCr = Object.entries(linuxCrRecords).map(([name, type]): RecordKind => ({
  type,
  name,
  content: 'foreign',
  doc: 'Linux-CR, revision 6.',
}));

/** Numbers as keys; of two kinds with one number the first counts. */
function table(kinds: readonly RecordKind[]): ReadonlyMap<number, RecordKind> {
  const found = new Map<number, RecordKind>();
  for (const kind of kinds) if (!found.has(kind.type)) found.set(kind.type, kind);
  return new Map([...found].sort(([a], [b]) => a - b));
}

/** Names that revision 100 has under another number than Linux-CR are not said twice. */
const ours = [...common, ...full, ...fullOnly];
const taken = new Set(ours.map(({ name }) => name));

const tables: ReadonlyMap<number, ReadonlyMap<number, RecordKind>> = new Map([
  [base.CHECKPOINT_VERSION, table([...common, fields(base.Task)])],
  [6, table(linuxCr)],
  [
    base.CHECKPOINT_VERSION_PROCESS,
    table([...ours, ...linuxCr.filter(({ name }) => !taken.has(name))]),
  ],
]);

/** All record numbers of a revision (3, 6, 100) in ascending order; of another one none. */
export function recordKinds(revision: number): readonly RecordKind[] {
  return [...(tables.get(revision)?.values() ?? [])];
}

/** What a number means in a revision; bit 31 (may be skipped) makes no difference. */
export function recordKind(type: number, revision: number): RecordKind | undefined {
  const bare = type >= pages.CKPT_HDR_SKIPPABLE ? type - pages.CKPT_HDR_SKIPPABLE : type;
  return tables.get(revision)?.get(bare);
}

/** "TASK", or "type 4711" of an unknown one: for messages. */
export function recordName(type: number, revision: number): string {
  return recordKind(type, revision)?.name ?? `type ${type}`;
}
