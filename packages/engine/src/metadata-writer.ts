import {
  CKPT_HDR_BUFFER,
  archs,
  checksums,
  Container,
  crc32c,
  Features,
  HeaderArch,
  Identity,
  MetaEnd,
  Store,
  Tree,
  TreeThread,
  XstateComponent,
} from '@ckpt/format';
import type { Collected } from './collect.ts';
import type { System } from './system.ts';
import { writeOpening } from './image-opening.ts';
import { isaOf } from './machine-check.ts';
import { arrayRecord, rawRecord, RecordWriter } from './record-writer.ts';

export interface MetadataFacts {
  readonly system: System;
  /** 16 random bytes. */
  readonly uuid: Uint8Array;
  readonly threads: readonly TreeThread[];
  readonly collected: Collected;
}

/**
 * All of a revision 100 image that stands before its pages.
 *
 *     HEADER, BUFFER x 3 | FEATURES | IDENTITY | HEADER_ARCH, ARRAY, BUFFER | CONTAINER | TREE, ARRAY
 *     records of the kinds | STORE | META_END
 */
export function encodeMetadata({ system, uuid, threads, collected }: MetadataFacts): Uint8Array {
  const { cpu, pageSize } = system;
  const records = new RecordWriter();
  writeOpening(records.stream(), system, 100);
  records.emit(Features, { incompatible: 0n, compatible: 0n });
  records.emit(Identity, {
    ...{ uuid, parent: new Uint8Array(16), boot_id: system.bootId },
    ...{ page_size: pageSize, alignment: pageSize },
  });
  records.emit(HeaderArch, {
    ...{ isa: isaOf(system.uts.machine) || archs.x86_64, xstate_size: cpu.xstateSize },
    ...{ xfeatures: collected.xfeatures, vdso_hash: system.vdsoHash, vdso_size: system.vdsoSize },
  });
  records.add(arrayRecord(XstateComponent, cpu.xstateLayout ?? []));
  records.add(rawRecord(CKPT_HDR_BUFFER, system.vdso ?? new Uint8Array()));
  records.emit(Container, {});
  const tasks = new Set(threads.map(({ tgid }) => tgid)).size;
  records.emit(Tree, { tasks, threads: threads.length });
  records.add(arrayRecord(TreeThread, threads));
  for (const piece of collected.records.pieces) records.add(piece);
  records.emit(Store, { pages: BigInt(collected.store.pages) });
  const before = records.bytes();
  const end = MetaEnd.encode({
    ...{ length: BigInt(before.length), algorithm: checksums.crc32c, checksum: crc32c(before) },
  });
  const whole = new Uint8Array(before.length + end.length);
  whole.set(before);
  whole.set(end, before.length);
  return whole;
}
