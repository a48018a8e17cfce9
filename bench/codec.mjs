/**
 * Codec of @ckpt/format against DataView code written by hand for the same structs: nanoseconds a
 * struct, medians of interleaved rounds, and the ratio (aim: at most 1.3). `tsc -b` first.
 *
 *     node bench/codec.mjs
 *     node --disallow-code-generation-from-strings bench/codec.mjs    the fallback for browsers with a CSP
 */
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { crc32c, generate, PageRun, seeded, Task, Vma } from '@ckpt/format';

const rounds = Number(process.env.ROUNDS ?? 41);

/** What somebody would write who has only this one struct to think of. */
const byHand = {
  task: {
    put(view, at, value) {
      view.setUint32(at, 101, true);
      view.setUint32(at + 4, 40, true);
      view.setUint32(at + 8, value.state, true);
      view.setUint32(at + 12, value.exit_state, true);
      view.setUint32(at + 16, value.exit_code, true);
      view.setUint32(at + 20, value.exit_signal, true);
      view.setBigUint64(at + 24, value.set_child_tid, true);
      view.setBigUint64(at + 32, value.clear_child_tid, true);
    },
    get: (view, at) => ({
      state: view.getUint32(at + 8, true),
      exit_state: view.getUint32(at + 12, true),
      exit_code: view.getUint32(at + 16, true),
      exit_signal: view.getUint32(at + 20, true),
      set_child_tid: view.getBigUint64(at + 24, true),
      clear_child_tid: view.getBigUint64(at + 32, true),
    }),
  },
  vma: {
    put(view, at, value) {
      view.setUint32(at, 402, true);
      view.setUint32(at + 4, 64, true);
      view.setBigUint64(at + 8, value.start, true);
      view.setBigUint64(at + 16, value.end, true);
      view.setBigUint64(at + 24, value.offset, true);
      view.setInt32(at + 32, value.object, true);
      view.setUint32(at + 36, value.kind, true);
      view.setUint32(at + 40, value.protection, true);
      view.setUint32(at + 44, value.flags, true);
      view.setUint32(at + 48, value.advice, true);
      view.setUint32(at + 52, value.maximum, true);
      view.setUint32(at + 56, value.protection_key, true);
      view.setUint32(at + 60, value._pad, true);
    },
    get: (view, at) => ({
      start: view.getBigUint64(at + 8, true),
      end: view.getBigUint64(at + 16, true),
      offset: view.getBigUint64(at + 24, true),
      object: view.getInt32(at + 32, true),
      kind: view.getUint32(at + 36, true),
      protection: view.getUint32(at + 40, true),
      flags: view.getUint32(at + 44, true),
      advice: view.getUint32(at + 48, true),
      maximum: view.getUint32(at + 52, true),
      protection_key: view.getUint32(at + 56, true),
      _pad: view.getUint32(at + 60, true),
    }),
  },
  pageRun: {
    put(view, at, value) {
      view.setBigUint64(at, value.address, true);
      view.setBigUint64(at + 8, value.pages, true);
      view.setBigUint64(at + 16, value.index, true);
      view.setUint32(at + 24, value.source, true);
      view.setUint32(at + 28, value.flags, true);
    },
    get: (view, at) => ({
      address: view.getBigUint64(at, true),
      pages: view.getBigUint64(at + 8, true),
      index: view.getBigUint64(at + 16, true),
      source: view.getUint32(at + 24, true),
      flags: view.getUint32(at + 28, true),
    }),
  },
};

const structs = [
  [Task, byHand.task],
  [Vma, byHand.vma],
  [PageRun, byHand.pageRun],
];

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

/** Loops in a module of their own: what V8 learns of one struct would slow the next one down. */
let copies = 0;
const fresh = () => import(`./codec-loops.mjs?${++copies}`);

async function measure(struct, hand, operation) {
  const random = seeded(1);
  const values = Array.from({ length: 64 }, () => generate(struct, random, { valid: true }));
  const [mine, theirs] = [await fresh(), await fresh()];
  const runs = [
    mine[operation](struct, values, struct),
    theirs[operation](theirs.codecByHand(struct.size, hand), values, struct),
  ];
  for (let warm = 0; warm < 10; warm++) for (const run of runs) run();
  const times = runs.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [index, run] of runs.entries()) {
      const start = performance.now();
      const count = run();
      times[index].push(((performance.now() - start) * 1e6) / count);
    }
  return times.map(median);
}

const row = (...cells) =>
  process.stdout.write(`${cells.map((cell) => String(cell).padEnd(12)).join('')}\n`);
row('struct', 'operation', 'ckpt ns', 'by hand ns', 'ratio');
for (const [struct, hand] of structs)
  for (const operation of ['encode', 'decode', 'write', 'read']) {
    const [ours, other] = await measure(struct, hand, operation);
    row(struct.name, operation, ours.toFixed(1), other.toFixed(1), (ours / other).toFixed(2));
  }

const block = new Uint8Array(16 << 20).map((_, index) => index * 31);
const speeds = Array.from({ length: 11 }, () => {
  const start = performance.now();
  crc32c(block);
  return 16 / 1.024 / (performance.now() - start);
});
row('crc32c', '16 MiB', `${median(speeds).toFixed(2)} GiB/s`);
