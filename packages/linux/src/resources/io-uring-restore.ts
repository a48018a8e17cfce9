import type { ImageRecord, RestoreScope } from '@ckpt/engine';
import {
  adviceFlags,
  CKPT_HDR_BUFFER,
  File,
  fileKinds,
  IoUring,
  ioUringSetupFlags,
  protections,
  Vma,
  vmaKinds,
} from '@ckpt/format';
import { withRights } from './cred-effective.ts';
import type { Restoring } from './descriptor.ts';
import { arrayOffset, sqeSize } from './io-uring-facts.ts';
import { Corral } from './io-uring-corral.ts';
import { replay, replayMax } from './io-uring-replay.ts';
import { keepsNoCopies } from './io-uring-memory.ts';

type RingRecord = ImageRecord<IoUring>;

/** IORING_MAX_ENTRIES (io_uring/io_uring.h), and twice that. */
const sqEntriesMax = 32768;
const cqEntriesMax = 65536;
const MADV_DONTFORK = 10;

/** Descriptors that stay open from the first mapping on have these numbers: above those of a moment. */
const ringsFrom = 16;

/** The descriptor of a ring until it is placed. */
export function ringNumber({ scope, scratch }: Restoring, record: RingRecord): number {
  return scratch(ringsFrom + scope.document.all(IoUring).indexOf(record));
}

const isPower = (value: number): boolean => value > 0 && (value & (value - 1)) === 0;

const isPolled = ({ value }: RingRecord): boolean =>
  (value.setup_flags & ioUringSetupFlags.SQPOLL) !== 0;

/** @throws CkptError EINVAL for a ring that cannot be, or is not idle. */
function checkRing(record: RingRecord, pageSize: number): void {
  const { value } = record;
  const invalid = record.invalid.bind(record);
  const { sq_entries: sq, cq_entries: cq, setup_flags: flags } = value;
  const { CQSIZE, NO_SQARRAY, SQPOLL, SQ_AFF } = ioUringSetupFlags;
  if ((flags & ~(CQSIZE | NO_SQARRAY | SQPOLL | SQ_AFF)) !== 0)
    throw invalid('setup_flags', `flags ${flags}`, 'ENOSYS');
  if ((flags & SQ_AFF) !== 0 && !isPolled(record))
    throw invalid('setup_flags', 'a processor of no polling thread');
  if (!isPower(sq) || sq > sqEntriesMax) throw invalid('sq_entries', `${sq} entries`);
  if (!isPower(cq) || cq > cqEntriesMax || cq < sq) throw invalid('cq_entries', `${cq} entries`);
  const queued = (value.sq_tail - value.sq_head) >>> 0;
  if (queued > sq) throw invalid('sq_tail', `${queued} entries are queued in a ring of ${sq}`);
  if (queued > 0 && isPolled(record)) {
    throw invalid('sq_tail', `${queued} entries are queued where a thread polls`);
  }
  const unread = (value.cq_tail - value.cq_head) >>> 0;
  if (unread > cq) throw invalid('cq_head', `${unread} completions in a ring of ${cq}`);
  if (value.sq_head !== value.cq_tail) {
    throw invalid('cq_tail', `${value.sq_head} requests and ${value.cq_tail} completions`);
  }
  const pages = (size: number): bigint => BigInt(Math.ceil(size / pageSize) * pageSize);
  if (value.sqes_size !== pages(sq * sqeSize)) {
    throw invalid('sqes_size', `${value.sqes_size.toString()} bytes of ${sq} entries`);
  }
  const least = pages(arrayOffset(cq));
  if (value.ring_size < least || value.ring_size > pages(arrayOffset(cq) + sq * 4)) {
    throw invalid('ring_size', `${value.ring_size.toString()} bytes of ${cq} completions`);
  }
}

/** Every mapping of a ring is one of a VMA, and the other way round. @throws CkptError EINVAL. */
function checkMappings(records: readonly RingRecord[], vmas: readonly ImageRecord<Vma>[]): void {
  const parts = new Map<string, RingRecord>();
  for (const record of records) {
    const {
      ring_address: rings,
      ring_size: ringSize,
      sqes_address: sqes,
      sqes_size,
    } = record.value;
    parts.set(`${rings.toString()}:${(rings + ringSize).toString()}`, record);
    parts.set(`${sqes.toString()}:${(sqes + sqes_size).toString()}`, record);
  }
  for (const vma of vmas) {
    const { start, end } = vma.value;
    if (!parts.delete(`${start.toString()}:${end.toString()}`)) {
      throw vma.invalid('kind', 'a mapping of a ring that the image does not have');
    }
  }
  for (const record of parts.values()) {
    throw record.invalid('ring_address', 'a ring whose mapping the image does not have');
  }
}

/** Advice and protection that the program has given to the memory of its rings. */
function dress(scope: RestoreScope, vma: ImageRecord<Vma>): void {
  const { start, end, advice, protection } = vma.value;
  const what = 'memory of a ring';
  if ((advice & adviceFlags.DONTFORK) !== 0) {
    scope.call('protect', vma, 'madvise', [start, end - start, MADV_DONTFORK], { what });
  }
  if (protection !== (protections.READ | protections.WRITE)) {
    scope.call('protect', vma, 'mprotect', [start, end - start, protection], { what });
  }
}

/** Every ring has its descriptor. @throws CkptError EINVAL. */
function checkFiles({ scope }: Restoring, records: readonly RingRecord[]): void {
  const files = scope.document.all(File).filter(({ value }) => value.kind === fileKinds.io_uring);
  const open = new Set(files.map(({ value }) => value.object));
  const lost = records.find(({ value }) => !open.has(value.objref));
  if (lost !== undefined) throw lost.invalid('objref', 'no descriptor leads to this ring');
  const second = files.find(
    (file, index) => files.findIndex(({ value }) => value.object === file.value.object) < index,
  );
  if (second !== undefined) throw second.invalid('object', 'a ring with two descriptions');
}

/**
 * Plans all rings: the kernel alone chooses where a ring is mapped, so they come first, when
 * nothing else is there yet, and while all other addresses are taken.
 */
export function restoreRings(restoring: Restoring): void {
  const { scope } = restoring;
  const records = scope.document.all(IoUring);
  const vmas = scope.document.all(Vma).filter(({ value }) => value.kind === vmaKinds.io_uring);
  for (const record of records) {
    checkRing(record, scope.system.pageSize);
    if (record.value.sq_head > replayMax && !keepsNoCopies(record.bytesOf(CKPT_HDR_BUFFER, 1))) {
      throw record.invalid(
        'sq_head',
        `${record.value.sq_head} requests are too many to be replayed`,
      );
    }
  }
  checkMappings(records, vmas);
  checkFiles(restoring, records);
  const [first] = records;
  if (first === undefined) return;
  const corral = new Corral(scope, first);
  for (const record of records) {
    const make = (): void => {
      replay(restoring, record, corral, ringNumber(restoring, record));
    };
    // A polling thread does all with the rights that its maker had.
    if (isPolled(record)) withRights(scope, make);
    else make();
  }
  corral.open();
  for (const vma of vmas) dress(scope, vma);
}
