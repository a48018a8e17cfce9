import { CKPT_MSG_LEN } from '@ckpt/format';
import { clipText, encodeText } from '@ckpt/io';

/** A message as it was composed. */
export interface Message {
  /** NUL and the text, as the STRING of an error record has them. */
  readonly bytes: Uint8Array;
  /** First error among its parts, negative; 0 when it tells of none. */
  readonly err: number;
}

/**
 * A message being composed: a NUL, then at most 1022 bytes of text. What does not fit is dropped,
 * from the first character that does not.
 */
export class MessageBuffer {
  /** Made for the first text: most streams are never told anything. */
  #bytes: Uint8Array | undefined;
  #length = 1;
  #full = false;
  #err = 0;
  #locked = false;

  /** Between lock and unlock. */
  get locked(): boolean {
    return this.#locked;
  }

  lock(): void {
    this.#locked = true;
    this.#reset();
  }

  unlock(): void {
    this.#locked = false;
  }

  append(text: string, err: number): void {
    if (this.#err === 0) this.#err = err;
    if (this.#full) return;
    const bytes = encodeText(text);
    // The last byte of the 1024 is never used: the base ends its text there.
    const fitting = clipText(bytes, CKPT_MSG_LEN - 1 - this.#length);
    this.#full = fitting < bytes.length;
    this.#bytes ??= new Uint8Array(CKPT_MSG_LEN);
    this.#bytes.set(bytes.subarray(0, fitting), this.#length);
    this.#length += fitting;
  }

  /** Hands out the message and starts anew; undefined when it has no text. */
  take(): Message | undefined {
    const bytes = this.#bytes?.slice(0, this.#length);
    const err = this.#err;
    this.#reset();
    return bytes !== undefined && bytes.length > 1 ? { bytes, err } : undefined;
  }

  #reset(): void {
    this.#length = 1;
    this.#full = false;
    this.#err = 0;
  }
}
