/** Whether bytes still fail as before. */
export type Fails = (bytes: Uint8Array) => boolean;

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

/** Takes out parts, the largest first. */
function cut(bytes: Uint8Array, fails: Fails, { unit, over }: Effort): Uint8Array {
  let least = bytes;
  const halves = Math.floor(least.length / 2 / unit) * unit;
  for (let size = halves; size >= unit; size = Math.floor(size / 2 / unit) * unit) {
    for (let end = least.length; end > 0; end -= size) {
      if (over()) return least;
      const start = Math.max(0, end - size);
      const fewer = without(least, start, end - start);
      if (fails(fewer)) least = fewer;
    }
  }
  return least;
}

/** Makes zeros of parts, the largest first. */
function clear(bytes: Uint8Array, fails: Fails, { unit, over }: Effort): Uint8Array {
  let least = bytes;
  const longest = Math.max(unit, Math.floor(least.length / 4 / unit) * unit);
  for (let size = longest; size >= unit; size = Math.floor(size / 4 / unit) * unit) {
    for (let start = 0; start < least.length; start += size) {
      if (over()) return least;
      const part = least.subarray(start, start + size);
      if (part.every((byte) => byte === 0)) continue;
      const cleared = least.slice();
      cleared.fill(0, start, start + size);
      if (fails(cleared)) least = cleared;
    }
  }
  return least;
}

/** Fewer bytes, and more zeros among them, that still fail. */
export function minimise(bytes: Uint8Array, fails: Fails, effort: Effort): Uint8Array {
  let least = bytes;
  for (;;) {
    const shorter = cut(least, fails, effort);
    const plainer = clear(shorter, fails, effort);
    if (effort.over() || plainer.length === least.length) return plainer;
    least = plainer;
  }
}
