import type { Random } from '@ckpt/format';

/** Something that takes bytes from anywhere. */
export interface Reader {
  readonly name: string;
  /** What it is mostly given: one record, an image of a revision, or either image. */
  readonly takes: 'record' | 'base' | 'process' | 'image';
  /** Records of revision 100 that it looks at; all unless told. */
  readonly types?: readonly number[];
  /** Numbers that it takes beside the bytes. */
  args?(random: Random, bytes: Uint8Array): readonly number[];
  /**
   * Reads.
   * @throws CkptError for bad bytes; Failure when it breaks a promise of its own; nothing else.
   */
  read(bytes: Uint8Array, args: readonly number[]): void;
}
