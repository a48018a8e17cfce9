import type { CheckpointScope } from '@ckpt/engine';
import { vmaKinds, type Vma } from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import type { Mapping } from '../procfs/smaps.ts';
import { findOutsiders, groupShared, keyOf, type SharedObjects } from './memory-groups.ts';
import { checkpointShm } from './memory-shared.ts';
import { classify } from './vma-classify.ts';
import {
  checkpointFile,
  describe,
  isSelfContained,
  showsHugeFile,
  type FileGroups,
} from './vma-file.ts';
import { adviceOf, mapFlagsOf, maximumOf, protectionOf } from './vma-flags.ts';

/** A mapping that is carried. */
export interface CarriedVma {
  readonly mapping: Mapping;
  readonly vma: Vma;
  /** Name given with PR_SET_VMA_ANON_NAME; empty without one. */
  readonly name: Uint8Array;
}

/** Mappings of a task, told apart. */
export interface Carried {
  /** By ascending address. */
  readonly vmas: readonly CarriedVma[];
  /** [vvar], [vvar_vclock] and [vdso], by ascending address. */
  readonly vdso: readonly Mapping[];
}

/** "[anon:name]" and "[anon_shmem:name]" (proc_pid_maps(5)). */
function givenName({ name }: Mapping): Uint8Array {
  const [, given = ''] = /^\[anon(?:_shmem)?:(.*)\]$/.exec(name) ?? [];
  return encodeText(given);
}

/** Mappings by what is behind them. */
interface Groups {
  readonly anonymous: SharedObjects;
  readonly files: FileGroups;
}

/** Why private huge pages are no memory of their own; undefined when they are. */
function hugeView(
  scope: CheckpointScope,
  mapping: Mapping,
  { shared }: FileGroups,
): string | undefined {
  if (shared.has(keyOf(mapping))) {
    return 'it is a private view of huge pages that are mapped shared, too';
  }
  if (showsHugeFile(scope, mapping)) {
    return 'it is a private view of huge pages that were shared, and hold something';
  }
  return undefined;
}

/** The object behind a mapping: 0 where there is none, undefined when it was refused. */
function objectOf(
  scope: CheckpointScope,
  mapping: Mapping,
  kind: number,
  groups: Groups,
): number | undefined {
  switch (kind) {
    case vmaKinds.file:
    case vmaKinds.shared_file:
      return checkpointFile(scope, mapping, kind, groups.files);
    case vmaKinds.shared_anonymous:
      return checkpointShm(scope, mapping, groups.anonymous, groups.files.outsiders);
    default:
      return 0;
  }
}

/**
 * Tells mappings apart, emits the objects behind them, and refuses what cannot be carried.
 */
export function checkpointVmas(scope: CheckpointScope, mappings: readonly Mapping[]): Carried {
  const vmas: CarriedVma[] = [];
  const vdso: Mapping[] = [];
  const judged = mappings.map((mapping) => ({ mapping, verdict: classify(mapping) }));
  const group = (kind: number) =>
    groupShared(
      judged.flatMap(({ mapping, verdict }) =>
        verdict.is === 'kind' && verdict.kind === kind ? [mapping] : [],
      ),
    );
  const groups: Groups = {
    anonymous: group(vmaKinds.shared_anonymous),
    files: {
      private: isSelfContained(scope) ? group(vmaKinds.file) : new Map(),
      shared: group(vmaKinds.shared_file),
      outsiders: findOutsiders(groupShared(mappings.filter(({ inode }) => inode !== 0n))),
    },
  };
  for (const { mapping, verdict } of judged) {
    if (verdict.is === 'vdso') vdso.push(mapping);
    if (verdict.is === 'obstacle') {
      const { reason, remedy } = verdict;
      scope.refuse({ thing: describe(mapping), reason, remedy });
    }
    if (verdict.is !== 'kind') continue;
    const { kind } = verdict;
    if (kind === vmaKinds.anonymous && mapping.inode !== 0n) {
      const reason = hugeView(scope, mapping, groups.files);
      const remedy = 'unmap it before the checkpoint';
      if (reason !== undefined) {
        scope.refuse({ thing: describe(mapping), reason, remedy });
        continue;
      }
    }
    const object = objectOf(scope, mapping, kind, groups);
    if (object === undefined) continue;
    vmas.push({
      mapping,
      name: givenName(mapping),
      vma: {
        start: mapping.start,
        end: mapping.end,
        offset: mapping.offset,
        object,
        kind,
        protection: protectionOf(mapping),
        flags: mapFlagsOf(mapping),
        advice: adviceOf(mapping),
        maximum: maximumOf(mapping),
        protection_key: mapping.protectionKey,
        page_shift: mapping.flags.has('ht') ? Math.log2(mapping.pageSize) : 0,
      },
    });
  }
  return { vmas, vdso };
}
