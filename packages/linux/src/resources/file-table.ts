import type { CheckpointScope, Resource } from '@ckpt/engine';
import { File, FileDesc, FileLock, FileTable } from '@ckpt/format';
import type { Description, DescriptorKind, Table } from './descriptor.ts';
import { readDescriptions } from './descriptor-facts.ts';
import { O_ACCMODE, O_PATH } from './descriptor-flags.ts';
import { descriptorKinds } from './descriptor-kinds.ts';
import { refuseUnclaimed } from './descriptor-refusal.ts';
import { readLocks } from './file-lock.ts';
import { isOwn, nobody, readOwners, type Owner } from './file-owner.ts';
import { restoreTable } from './file-table-restore.ts';
import { refuseOrphans } from './io-uring-facts.ts';

const writes = ({ info }: Description): boolean =>
  (info.flags & O_PATH) === 0 && (info.flags & O_ACCMODE) !== 0;

/** Tells files with the same name apart: one of them was deleted. */
const nameOf = ({ link, info }: Description): string => `${String(info.inode)} ${link}`;

/** The descriptions of a task, each emitted once: those that others refer to before them. */
class TaskTable implements Table {
  readonly descriptions: readonly Description[];
  readonly #scope: CheckpointScope;
  readonly #owners: ReadonlyMap<Description, Owner>;
  readonly #files = new Map<Description, number | undefined>();
  readonly #byFd = new Map<number, Description>();
  readonly #byLink = new Map<string, Description[]>();
  readonly #written = new Set<string>();

  constructor(scope: CheckpointScope) {
    this.#scope = scope;
    this.descriptions = readDescriptions(scope);
    this.#owners = readOwners(scope, this.descriptions);
    for (const description of this.descriptions) {
      for (const { fd } of description.descriptors) this.#byFd.set(fd, description);
      const linked = this.#byLink.get(description.link);
      if (linked === undefined) this.#byLink.set(description.link, [description]);
      else linked.push(description);
      if (writes(description)) this.#written.add(nameOf(description));
    }
  }

  at(fd: number): Description | undefined {
    return this.#byFd.get(fd);
  }

  linked(link: string): readonly Description[] {
    return this.#byLink.get(link) ?? [];
  }

  isWritten(description: Description): boolean {
    return this.#written.has(nameOf(description));
  }

  file(description: Description): number | undefined {
    if (this.#files.has(description)) return this.#files.get(description);
    // Epolls watch each other, but never in a circle (eventpoll.c, ep_loop_check).
    const objref = this.#emit(description);
    this.#files.set(description, objref);
    return objref;
  }

  #emit(description: Description): number | undefined {
    const scope = this.#scope;
    const kind = descriptorKinds.find((each) => each.claims(scope, description));
    if (kind === undefined) {
      refuseUnclaimed(scope, description);
      return;
    }
    // A lease turns O_ASYNC on: it is told first.
    const locks = readLocks(scope, description);
    const owner = this.#owners.get(description) ?? nobody;
    if (locks === undefined || !isOwn(scope, description, owner)) return undefined;
    const opened = kind.checkpoint(scope, description, this);
    if (opened === undefined) return undefined;
    const { objref } = scope.objhash.of('file', `${scope.task.pid}:${description.fd}`);
    scope.emit(File, {
      objref,
      kind: kind.kind,
      flags: description.info.flags,
      object: opened.object,
      position: opened.position ?? 0n,
      end: opened.end ?? 0,
      trusted: opened.trusted === true ? 1 : 0,
      locks: locks.length,
      ...owner,
    });
    if (locks.length > 0) scope.emitArray(FileLock, locks);
    return objref;
  }
}

function checkpoint(scope: CheckpointScope): void {
  const { objref } = scope.objhash.of('files', String(scope.task.pid));
  const table = new TaskTable(scope);
  const entries = table.descriptions.flatMap((description) => {
    const file = table.file(description);
    if (file === undefined) return [];
    return description.descriptors.map(({ fd, closeOnExec }): FileDesc => ({
      fd,
      file,
      flags: closeOnExec ? 1 : 0,
    }));
  });
  refuseOrphans(scope, table);
  scope.emit(FileTable, { objref, count: entries.length });
  scope.emitArray(
    FileDesc,
    entries.sort((a, b) => a.fd - b.fd),
  );
}

const recordsOf = ({ records }: DescriptorKind) => records;

/**
 * Descriptors: numbers, close-on-exec, and the open file descriptions behind them, which dup(2)
 * shares. What is open is the matter of the kinds in `descriptor-kinds.ts`; a descriptor that none
 * of them claims is refused.
 *
 * Image: what is open, {@link File}, ... {@link FileTable}, its {@link FileDesc}.
 */
export const fileTable: Resource = {
  kind: 'descriptors',
  records: [FileTable, File, ...descriptorKinds.flatMap(recordsOf)],
  checkpoint,
  restore: restoreTable,
};
