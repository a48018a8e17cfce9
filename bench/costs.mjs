/**
 * What a mapping, a thread and a descriptor cost: processes with more and more of them, the time that
 * they stand still, the whole checkpoint and the restart, and what each one more has cost. A column
 * that grows downwards is worse than linear. As root, with python3; `tsc -b` first: node bench/costs.mjs
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { checkpointOnce, folder, restartOnce } from './live.mjs';
import { end, median, sleep, start } from './measure.mjs';

const rounds = Number(process.env.ROUNDS ?? 5);
const ready = join(folder, 'ready');

/** Neighbours differ in protection, or the kernel would make one mapping of them. */
const kinds = {
  mapping: {
    counts: [100, 1000, 5000, 20_000],
    python: `
import mmap
both = mmap.PROT_READ, mmap.PROT_READ | mmap.PROT_WRITE
kept = [mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, both[n % 2]) for n in range(count)]
for each in kept[1::2]: each[0] = 1`,
  },
  thread: {
    counts: [1, 10, 100, 1000],
    python: `
import threading
threading.stack_size(1 << 16)
event = threading.Event()
for n in range(count): threading.Thread(target=event.wait, daemon=True).start()`,
  },
  descriptor: {
    counts: [10, 1000, 10_000],
    python: `
import os, resource
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
kept = [os.open(__file__, os.O_RDONLY) for n in range(count)]`,
  },
};

/** A process that has so many of them, asleep. */
function make(python, count) {
  const script = join(folder, 'some.py');
  writeFileSync(
    script,
    `import sys, time\ncount = int(sys.argv[1])\n${python}\nopen(sys.argv[2], "w").write(str(count))\ntime.sleep(1e6)\n`,
  );
  writeFileSync(ready, '');
  const pid = start(interpreter(), [script, String(count), ready]);
  for (let n = 0; n < 600; n++) {
    if (readFileSync(ready, 'utf8') === String(count)) return pid;
    sleep(50);
  }
  throw new Error(`there is no process with ${count}`);
}

/** Itself, not a script that looks for it. */
function interpreter() {
  const { stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  });
  return stdout.trim();
}

/** Medians of rounds of checkpoint, kill, restart; the first one warms up. */
async function measure(python, count) {
  let pid = make(python, count);
  let running;
  const figures = { frozen: [], checkpoint: [], restart: [] };
  for (let round = -1; round < rounds; round++) {
    const made = checkpointOnce(pid);
    await end(pid, running);
    const back = restartOnce();
    running = back.value;
    pid = running.pid;
    if (round < 0) continue;
    figures.frozen.push(made.value.frozenMs);
    figures.checkpoint.push(made.ms);
    figures.restart.push(back.ms);
  }
  await end(pid, running);
  return Object.fromEntries(Object.entries(figures).map(([key, all]) => [key, median(all)]));
}

const line = (...cells) => console.log(cells.map((cell) => String(cell).padStart(12)).join(''));
const fixed = (value) => value.toFixed(value < 10 ? 2 : 1);

if (interpreter() === '') {
  console.log('no python3');
  process.exit(0);
}
for (const [kind, { counts, python }] of Object.entries(kinds)) {
  const none = await measure('', 0);
  const steps = Object.keys(none);
  line(`${kind}s`, ...steps.map((step) => `${step} ms`), ...steps.map(() => 'each µs'));
  line(0, ...steps.map((step) => fixed(none[step])));
  for (const count of counts) {
    const found = await measure(python, count);
    const each = (step) => Math.max(0, ((found[step] - none[step]) * 1000) / count);
    line(
      count,
      ...steps.map((step) => fixed(found[step])),
      ...steps.map((step) => fixed(each(step))),
    );
  }
  console.log();
}
process.exit(0);
