import { ckptKwrite } from '@ckpt/io';
import type { Collected, CollectGround } from './collect.ts';
import { encodeMetadata } from './metadata-writer.ts';
import type { Progress } from './options.ts';
import { pageChunks } from './page-layout.ts';
import { PagesWriter } from './pages-writer.ts';
import { treeOf } from './tree.ts';
import type { OutputStream, Unfinished } from './unfinished.ts';

export interface WriteGround extends CollectGround {
  /** 16 random bytes. */
  readonly uuid: Uint8Array;
  /** Throws when the process has been frozen for too long. */
  readonly tick: () => void;
  readonly progress: (progress: Progress) => void;
  /** Throws when what this metadata tells of could not be restarted. */
  readonly prove: (metadata: Uint8Array) => void;
  /** Is told of records before they are written. */
  readonly begin: (unfinished: Unfinished) => void;
}

/**
 * Writes a revision 100 image but for its TAIL, from byte 0 of the output on.
 * @throws CkptError as write(2), as the host says, ETIMEDOUT.
 */
export function writeProcess(
  stream: OutputStream,
  { frozen, system, task, tick, progress, uuid, begin, prove }: WriteGround,
  collected: Collected,
): void {
  const { store } = collected;
  const { pageSize } = system;
  const { file } = stream;
  const threads = treeOf(frozen, [task]);
  const metadata = encodeMetadata({ system, uuid, threads, collected });
  const total = metadata.length + store.pages * pageSize;
  const step = (): void => {
    tick();
    progress({ phase: 'write', done: file.length, total });
  };
  // Twice: before many bytes are moved in vain, and when files may have changed meanwhile.
  prove(metadata);
  step();
  begin({ at: 0, head: metadata });
  ckptKwrite(stream, metadata);
  const pages = new PagesWriter(frozen, stream, store, pageSize, step);
  for (const chunk of pageChunks(store.pages, pageSize, metadata.length)) {
    step();
    begin({ at: file.length, head: chunk.head });
    ckptKwrite(stream, chunk.head);
    pages.write(chunk);
  }
  step();
  prove(metadata);
}
