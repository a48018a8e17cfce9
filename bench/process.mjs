/**
 * Checkpoint and restart of real processes: freeze time and total, against a plain write (and read)
 * of as many bytes in the same run (aim: at most 1.5). As root; `tsc -b` first: node bench/process.mjs
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { checkpointOnce, folder, image, restartOnce } from './live.mjs';
import {
  end,
  median,
  ms,
  plainRead,
  ratio,
  row,
  sleep,
  start,
  timed,
  touched,
} from './measure.mjs';

const rounds = Number(process.env.ROUNDS ?? 7);
const plain = join(folder, 'plain');

/** Writes as many bytes as the image has, from memory that is warm, the same way: to a new file, synced. */
function plainWrite(length) {
  const chunk = new Uint8Array(4 << 20).fill(5);
  rmSync(plain, { force: true });
  return timed(() => {
    const fd = openSync(plain, 'w');
    for (let done = 0; done < length;)
      done += writeSync(fd, chunk, 0, Math.min(chunk.length, length - done));
    fsyncSync(fd);
    closeSync(fd);
  }).ms;
}

/** Of a small image what does not depend on its size takes the longest: there is no aim then. */
const against = (value, length) => (length < 256 << 20 ? value.toFixed(2) : ratio(value, 1.5));

/** Milliseconds for one kind of process, on a machine that is slow. */
const timeMax = 40_000;

async function bench(name, first) {
  let pid = first;
  let running;
  let cold;
  const latest = performance.now() + timeMax;
  const figures = { total: [], freeze: [], write: [], restart: [], read: [] };
  let length = 0;
  for (let round = -1; round < rounds && (round < 2 || performance.now() < latest); round++) {
    const made = checkpointOnce(pid);
    length = statSync(image).size;
    const write = plainWrite(length);
    const read = plainRead(plain, length);
    await end(pid, running);
    const back = restartOnce();
    running = back.value;
    pid = running.pid;
    sleep(20);
    cold ??= made.value.frozenMs;
    if (round < 0) continue;
    figures.total.push(made.ms);
    figures.freeze.push(made.value.frozenMs);
    figures.write.push(write);
    figures.restart.push(back.ms);
    figures.read.push(read);
  }
  await end(pid, running);
  const found = Object.fromEntries(Object.entries(figures).map(([key, all]) => [key, median(all)]));
  row(name, {
    image: `${(length / 2 ** 20).toFixed(1)} MiB`,
    checkpoint: ms(found.total),
    frozen: ms(found.freeze),
    'the first': ms(cold),
    'at best': ms(Math.min(...figures.freeze)),
    'against write+fsync': against(found.total / found.write, length),
    restart: ms(found.restart),
    'against read': against(found.restart / found.read, length),
  });
}

function settled(command, args, afterMs) {
  const pid = start(command, args);
  sleep(afterMs);
  return pid;
}

const server = join(folder, 'server.mjs');
writeFileSync(
  server,
  `import { createServer } from 'node:http';
   createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1');`,
);
await bench('sleep, about 1 MiB (aim: frozen 10 ms)', settled('sleep', ['1000'], 100));
await bench('Node HTTP server, idle', settled(process.execPath, [server], 500));
for (const mib of [64, 512, 2048]) await bench(`Node with ${mib} MiB touched`, touched(mib));
process.exit(0);
