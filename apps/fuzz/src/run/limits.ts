/** What one execution may take. */
export interface Limits {
  /** Milliseconds that every try of the same input needs: longer is a finding. */
  readonly slowMs: number;
  /** Milliseconds without an end after which somebody else ends it. */
  readonly hangMs: number;
  /** Bytes that array buffers may grow by. */
  readonly growthMax: number;
  /** Milliseconds for making a finding smaller: half of it by fast-check, half by bytes. */
  readonly shrinkMs: number;
  /** MiB of objects: a heap that grows beyond is a finding. */
  readonly heapMiB: number;
}

export const limits: Limits = {
  slowMs: 1000,
  hangMs: 10_000,
  growthMax: 64 << 20,
  shrinkMs: 6000,
  heapMiB: 512,
};
