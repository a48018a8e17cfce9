/**
 * Where an image is read from or written to: a sequence of bytes with one position, never sought.
 * Implementations: `MemoryFile`, `FdFile` of `@ckpt/io/node`, or a user's own.
 */
export interface CkptFile {
  /**
   * Reads up to `into.length` bytes at the position; returns how many, 0 at the end.
   * @throws CkptError as read(2): EIO, EBADF, EAGAIN when a non-blocking file has nothing now.
   */
  read(into: Uint8Array): number;
  /**
   * Writes up to `from.length` bytes at the position; returns how many.
   * @throws CkptError as write(2): ENOSPC, EPIPE, EAGAIN, ...
   */
  write(from: Uint8Array): number;
  /** The descriptor behind it, where there is one: lets the kernel move the bytes. */
  readonly fd?: number;
  /** Moves on without copying, where that is possible; returns how many bytes were skipped. */
  skip?(length: number): number;
  /** What it was opened for, where that is known: lets a caller refuse before the first byte. */
  readonly access?: 'read' | 'write' | 'both' | undefined;
  /** Equal for two files that share their bytes, undefined where sharing does no harm. */
  readonly identity?: string | undefined;
}

/** What the record and object API works on. */
export interface Stream {
  readonly file: CkptFile;
  /** Bytes of completely successful ckptKread and ckptKwrite calls: what `[pos N]` prints. */
  total: number;
  /** Is told of each record that is read or written, a line without its end (debug class DRW). */
  trace?(line: string): void;
}
