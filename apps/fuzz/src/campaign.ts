import type { Random } from '@ckpt/format';

/** One execution as it is saved: enough to do it again. */
export interface Input {
  readonly bytes: Uint8Array;
  /** What gets them: a reader, or another part of the campaign. */
  readonly target: string;
  /** Numbers that the target takes beside the bytes. */
  readonly args: readonly number[];
}

/** Something that must hold, and what to try it with. */
export interface Campaign<T = unknown> {
  readonly name: string;
  readonly doc: string;
  /** What to try, from numbers: the same numbers make the same, and only zeros the plainest. */
  make(random: Random): T;
  /** Tries it. @throws Failure, or anything else, when it does not hold. */
  run(value: T): void;
  /** `numbers` are those that `make` drew. */
  save(value: T, numbers: readonly number[]): Input;
  load(input: Input): T;
  /** Bytes of the parts that can be taken out of saved bytes. */
  readonly unit: 1 | 4;
  /** An image for people to look at, where the saved bytes are none. */
  image?(value: T): Uint8Array;
}

/** What a campaign found to be wrong. Two failures with one key are the same finding. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}

/** A campaign over bytes: they are what is saved. */
export function overBytes(
  campaign: Pick<Campaign<Input>, 'name' | 'doc' | 'make' | 'run'>,
): Campaign<Input> {
  return { ...campaign, unit: 1, save: (input) => input, load: (input) => input };
}

/** A campaign over values: saved are the numbers that they are made from, four bytes each. */
export function overValues<T>(
  campaign: Pick<Campaign<T>, 'name' | 'doc' | 'make' | 'run' | 'image'>,
): Campaign<T> {
  return {
    ...campaign,
    unit: 4,
    save: (_value, numbers) => ({
      bytes: new Uint8Array(Uint32Array.from(numbers).buffer),
      ...{ target: campaign.name, args: [] },
    }),
    load: ({ bytes }) => campaign.make(play(numbersOf(bytes))),
  };
}

/** Little endian, as the machine that saved them. */
function numbersOf(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length >> 2 }, (_, index) => view.getUint32(index * 4, true));
}

/** These numbers, then zeros. */
export function play(numbers: readonly number[]): Random {
  let index = 0;
  return () => numbers[index++] ?? 0;
}
