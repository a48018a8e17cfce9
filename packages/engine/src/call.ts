/** An argument of a system call: a number, bytes to read, or room for an answer. */
export type Argument =
  | number
  | bigint
  | { readonly in: Uint8Array }
  /** Room of so many bytes, zeroed; its content after the call is an element of {@link Answer.out}. */
  | { readonly out: number }
  /** Bytes to read, and room for the answer in the same place. */
  | { readonly inout: Uint8Array };

/** One system call by its Linux name. */
export interface Call {
  readonly call: string;
  readonly args: readonly Argument[];
}

export interface Answer {
  /** What the call returned; a negative errno on failure. */
  readonly result: bigint;
  /** One element for each `out` and `inout` argument, in order. */
  readonly out: readonly Uint8Array[];
}
