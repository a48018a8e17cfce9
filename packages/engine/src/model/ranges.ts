/** Addresses [start, end). */
export interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

export const overlaps = (a: Range, b: Range): boolean => a.start < b.end && a.end > b.start;

/** A set of addresses, as ranges that do not touch each other. */
export class Ranges {
  #ranges: readonly Range[] = [];

  get all(): readonly Range[] {
    return this.#ranges;
  }

  remove(gone: Range): void {
    this.#ranges = this.#ranges.flatMap((range) => {
      if (!overlaps(range, gone)) return [range];
      const before = { start: range.start, end: gone.start };
      const after = { start: gone.end, end: range.end };
      return [before, after].filter(({ start, end }) => start < end);
    });
  }

  add(range: Range): void {
    const touching = this.#ranges.filter(
      (other) => other.start <= range.end && other.end >= range.start,
    );
    const joined = touching.reduce(
      (sum, { start, end }) => ({
        start: start < sum.start ? start : sum.start,
        end: end > sum.end ? end : sum.end,
      }),
      range,
    );
    const others = this.#ranges.filter((other) => !touching.includes(other));
    this.#ranges = [...others, joined].sort((a, b) => (a.start < b.start ? -1 : 1));
  }

  /** Parts inside of a range. */
  within(range: Range): readonly Range[] {
    return this.#ranges
      .filter((other) => overlaps(other, range))
      .map(({ start, end }) => ({
        start: start > range.start ? start : range.start,
        end: end < range.end ? end : range.end,
      }));
  }
}
