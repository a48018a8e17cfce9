// A server for Bun and for Deno: memory that must stay intact, a timer, a file, compression.
import { Buffer } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';

let requests = 0;
let ticks = 0;
setInterval(() => ticks++, 20);
const state = Array.from({ length: 20_000 }, (_, index) => ({ index, name: `item ${index}` }));
const before = JSON.stringify(state);

async function answer() {
  const number = ++requests;
  const seen = ticks;
  const source = await readFile(new URL(import.meta.url));
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  await sleep(50);
  while (ticks === seen) await sleep(5);
  const unpacked = gunzipSync(gzipSync(source));
  const intact = JSON.stringify(state) === before && Buffer.compare(unpacked, source) === 0;
  return new Response(JSON.stringify({ number, intact }));
}

const listening = (port) => console.log(`listening ${port}`);
if (globalThis.Bun) {
  listening(Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 60, fetch: answer }).port);
} else {
  const onListen = ({ port }) => listening(port);
  Deno.serve({ port: 0, hostname: '127.0.0.1', onListen }, answer);
}
