import { generate, Task, TASK_COMM_LEN, type Random } from '@ckpt/format';
import { encodeBaseImage, type BaseTask, type Writer } from '@ckpt/engine';
import { below } from '../draw.ts';

/** A machine that wrote an image. */
export const writer: Writer = {
  uts: { release: '2.6.37', version: '#1 SMP', machine: 'x86_64' },
  kernel: [2, 6, 37],
  time: 0n,
};

export const emptyTask: BaseTask = {
  task: {
    ...{ state: 0, exit_state: 0, exit_code: 0, exit_signal: 17 },
    ...{ set_child_tid: 0n, clear_child_tid: 0n },
  },
  comm: new Uint8Array(TASK_COMM_LEN),
};

const letters = 'abcxyzABC0189 .-_#:/()äß€漢😀\u{10ffff}\u0001\u001b';

/** Text of at most so many bytes of UTF-8. */
function someText(random: Random, bytesMax: number): string {
  const characters = Array.from(letters);
  const encoder = new TextEncoder();
  let text = '';
  for (let count = below(random, bytesMax + 1); count > 0; count--) {
    const longer = text + (characters[below(random, characters.length)] ?? '');
    if (encoder.encode(longer).length > bytesMax) break;
    text = longer;
  }
  return text;
}

/** What an image of revision 3 says. */
export interface BaseContent {
  readonly writer: Writer;
  readonly task: BaseTask;
}

export function baseContent(random: Random): BaseContent {
  const uts = {
    release: someText(random, 64),
    version: someText(random, 64),
    machine: someText(random, 64),
  };
  const kernel = [random() & 0xffff, random() & 0xff, random() & 0xff] as const;
  const time = (BigInt(random()) << 32n) | BigInt(random());
  const comm = new Uint8Array(TASK_COMM_LEN);
  comm.set(Uint8Array.from({ length: below(random, TASK_COMM_LEN) }, () => random()));
  return { writer: { uts, kernel, time }, task: { task: generate(Task, random), comm } };
}

/** An image of revision 3, 363 bytes. */
export function baseImage(random: Random): Uint8Array {
  const { writer: by, task } = baseContent(random);
  return encodeBaseImage(by, task);
}
