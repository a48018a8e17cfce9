/** Whether bytes still fail as before. */
export type Fails = (bytes: Uint8Array) => boolean;

/** Hands out bytes to try, and is told whether they still fail; returns the least that do. */
type Trials = Generator<Uint8Array, Uint8Array, boolean>;

export interface Effort {
  /** Bytes of the parts that can be taken out. */
  readonly unit: number;
  /** True when time is up. */
  readonly over: () => boolean;
}

function without(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const rest = new Uint8Array(bytes.length - length);
  rest.set(bytes.subarray(0, start));
  rest.set(bytes.subarray(start + length), start);
  return rest;
}

/** Takes out parts, the largest first, from the end on. */
function* cut(bytes: Uint8Array, unit: number): Trials {
  let least = bytes;
  const halves = Math.floor(least.length / 2 / unit) * unit;
  for (let size = halves; size >= unit; size = Math.floor(size / 2 / unit) * unit) {
    for (let end = least.length; end > 0; end -= size) {
      const start = Math.max(0, end - size);
      const fewer = without(least, start, end - start);
      if (yield fewer) least = fewer;
    }
  }
  return least;
}

/** Makes zeros of parts, the largest first. */
function* clear(bytes: Uint8Array, unit: number): Trials {
  let least = bytes;
  const longest = Math.max(unit, Math.floor(least.length / 4 / unit) * unit);
  for (let size = longest; size >= unit; size = Math.floor(size / 4 / unit) * unit) {
    for (let start = 0; start < least.length; start += size) {
      if (least.subarray(start, start + size).every((byte) => byte === 0)) continue;
      const cleared = least.slice();
      cleared.fill(0, start, start + size);
      if (yield cleared) least = cleared;
    }
  }
  return least;
}

function* trials(bytes: Uint8Array, unit: number): Trials {
  let least = bytes;
  for (;;) {
    const shorter = yield* cut(least, unit);
    const plainer = yield* clear(shorter, unit);
    if (plainer.length === least.length) return plainer;
    least = plainer;
  }
}

/** Fewer bytes, and more zeros among them, that still fail. */
export function minimise(bytes: Uint8Array, fails: Fails, { unit, over }: Effort): Uint8Array {
  const all = trials(bytes, unit);
  let least = bytes;
  let next = all.next();
  while (next.done !== true && !over()) {
    const failed = fails(next.value);
    if (failed) least = next.value;
    next = all.next(failed);
  }
  return least;
}

/** The same where it takes another thread to try. */
export async function minimiseSlowly(
  bytes: Uint8Array,
  fails: (bytes: Uint8Array) => Promise<boolean>,
  { unit, over }: Effort,
): Promise<Uint8Array> {
  const all = trials(bytes, unit);
  let least = bytes;
  let next = all.next();
  while (next.done !== true && !over()) {
    const failed = await fails(next.value);
    if (failed) least = next.value;
    next = all.next(failed);
  }
  return least;
}
