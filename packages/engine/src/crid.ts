/** A checkpoint id is a C int. */
const cridMax = 2 ** 31 - 1;

/** Counts successful checkpoints. */
export interface CridCounter {
  /** The next id: 1 and up; after 2147483647 it is 1 again. */
  next(): number;
}

export function createCridCounter(given = 0): CridCounter {
  let last = given;
  return {
    next() {
      last = last >= cridMax ? 1 : last + 1;
      return last;
    },
  };
}
