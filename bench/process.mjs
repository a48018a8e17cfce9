/**
 * Checkpoint and restart of real processes: freeze time and total, against a plain write (and read)
 * of as many bytes in the same run (aim: at most 1.5). As root; `tsc -b` first: node bench/process.mjs
 */
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '@ckpt/engine';
import { createImage, openImage } from '@ckpt/io/node';
import { createLinuxHost } from '@ckpt/linux/host';
import { kill, median, ms, ratio, residentMiB, row, sleep, start, timed } from './measure.mjs';

const rounds = Number(process.env.ROUNDS ?? 7);
const folder = process.env.FOLDER ?? mkdtempSync(join(tmpdir(), 'ckpt-bench-'));
const image = join(folder, 'image.ckpt');
const plain = join(folder, 'plain');
const engine = createEngine(createLinuxHost());

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

/** Reads it into memory that was never touched: what any restart has to do. */
function plainRead(length) {
  return timed(() => {
    const fd = openSync(plain, 'r');
    const into = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;)
      done += readSync(fd, into, done, Math.min(16 << 20, length - done), null);
    closeSync(fd);
  }).ms;
}

function checkpointOnce(pid) {
  rmSync(image, { force: true });
  return timed(() => {
    const target = createImage(image);
    const made = engine.checkpoint(pid, target.file);
    target.commit();
    return made;
  });
}

function restartOnce() {
  return timed(() => {
    const file = openImage(image);
    try {
      return engine.restart(0, file).running.pid;
    } finally {
      file.close();
    }
  });
}

function bench(name, command, args, settleMs) {
  let pid = start(command, args);
  sleep(settleMs);
  const figures = { total: [], freeze: [], write: [], restart: [], read: [] };
  let length = 0;
  for (let round = -1; round < rounds; round++) {
    const made = checkpointOnce(pid);
    length = statSync(image).size;
    const write = plainWrite(length);
    const read = plainRead(length);
    kill(pid);
    const back = restartOnce();
    pid = back.value;
    sleep(20);
    if (round < 0) continue;
    figures.total.push(made.ms);
    figures.freeze.push(made.value.frozenMs);
    figures.write.push(write);
    figures.restart.push(back.ms);
    figures.read.push(read);
  }
  kill(pid);
  const found = Object.fromEntries(Object.entries(figures).map(([key, all]) => [key, median(all)]));
  row(name, {
    image: `${(length / 2 ** 20).toFixed(1)} MiB`,
    checkpoint: ms(found.total),
    frozen: ms(found.freeze),
    'against write+fsync': ratio(found.total / found.write, 1.5),
    restart: ms(found.restart),
    'against read': ratio(found.restart / found.read, 1.5),
  });
}

const server = join(folder, 'server.mjs');
writeFileSync(
  server,
  `import { createServer } from 'node:http';
   createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1');`,
);
const big = (mib) => [
  '-e',
  `globalThis.b = Buffer.allocUnsafeSlow(${mib} << 20);
   for (let i = 0; i < b.length; i += 8) b.writeUInt32LE(i, i);
   setInterval(() => b.writeUInt32LE(b.readUInt32LE(64) + 1, 64), 50)`,
];

try {
  bench('sleep, about 1 MiB', 'sleep', ['1000'], 100);
  bench('Node HTTP server, idle', process.execPath, [server], 500);
  bench('Node with 64 MiB touched', process.execPath, big(64), 1500);
  bench('Node with 512 MiB touched', process.execPath, big(512), 5000);
  row('ckpt itself', { 'resident memory': `${residentMiB(process.pid).toFixed(0)} MiB` });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
