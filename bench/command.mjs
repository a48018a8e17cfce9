/**
 * The command, each time in a new process: wall time against a Node that does nothing, how long a
 * process stands still whose checkpoint is the first thing that a ckpt does, and ckpt's own memory
 * (aim: 150 MiB at most, whatever the size of the image). As root; `tsc -b` first: node bench/command.mjs
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { end, kill, median, ms, row, start, timed, touched } from './measure.mjs';

const rounds = Number(process.env.ROUNDS ?? 7);
const folder = mkdtempSync(join(tmpdir(), 'ckpt-bench-'));
const image = join(folder, 'image.ckpt');
const ckpt = new URL('../apps/cli/bin/ckpt.js', import.meta.url).pathname;

/**
 * Says what a process needed at most, in KiB, as the last thing on its standard error. Its own VmHWM:
 * getrusage(2) counts what its parent had, too.
 */
const tellMemory = `data:text/javascript,import { readFileSync } from 'node:fs';
  process.on('exit', () => {
    const status = readFileSync('/proc/self/status', 'latin1');
    console.error(/VmHWM:\\s+(\\d+)/.exec(status)[1]);
  })`;

function run(...args) {
  const done = timed(() =>
    spawnSync(process.execPath, ['--import', tellMemory, ...args], { encoding: 'utf8' }),
  );
  const { status, stdout, stderr } = done.value;
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  const memory = Number(stderr.trim().split('\n').at(-1)) / 1024;
  return { ms: done.ms, memory, said: stdout };
}

const inMib = (done) => done.memory;
const memory = (mib) => `${mib.toFixed(0)} MiB (aim 150)`;
const nothing = () => run('-e', '0');

function bench(name, ...args) {
  const all = Array.from({ length: rounds }, () => ({
    plain: nothing(),
    made: run(ckpt, ...args),
  }));
  const of = (pick) => median(all.map(pick));
  const frozen = all.map(({ made }) => /"frozenMs":\s*([\d.]+)/.exec(made.said)?.[1]);
  row(name, {
    wall: ms(of(({ made }) => made.ms)),
    'node -e 0': ms(of(({ plain }) => plain.ms)),
    memory: memory(of(({ made }) => inMib(made))),
    ...(frozen[0] === undefined ? {} : { frozen: ms(median(frozen.map(Number))) }),
  });
}

async function restarts(name, pid) {
  const all = [];
  for (let round = 0; round < rounds; round++) {
    await end(pid);
    all.push(run(ckpt, 'restart', '--detach', image));
  }
  await end(pid);
  const of = (pick) => median(all.map(pick));
  row(`ckpt restart: ${name}`, { wall: ms(of((one) => one.ms)), memory: memory(of(inMib)) });
}

async function checkpoints(name, pid) {
  try {
    bench(`ckpt checkpoint: ${name}`, 'checkpoint', String(pid), '--json', '--force', '-o', image);
    bench(`ckpt verify: ${name}`, 'verify', image);
  } finally {
    kill(pid);
  }
  await restarts(name, pid);
}

try {
  bench('ckpt --version', '--version');
  await checkpoints('sleep', start('sleep', ['1000']));
  await checkpoints('512 MiB', touched(512));
  await checkpoints('2 GiB', touched(2048));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
