// A small HTTP server that uses what servers use: timers, fs and zlib in the thread pool, randomness.
import { createServer } from 'node:http';
import { readFile } from 'node:fs';
import { gzip, gunzip } from 'node:zlib';

let requests = 0;
let ticks = 0;
const state = Array.from({ length: 10_000 }, (_, index) => ({ index, name: `item ${index}` }));
setInterval(() => ticks++, 20);
process.on('SIGUSR2', () => console.log(`usr2 after ${requests}`));

const server = createServer((request, response) => {
  requests++;
  const fail = (error) => response.writeHead(500).end(String(error));
  if (request.url === '/zlib') {
    const text = JSON.stringify(state);
    gzip(text, (error, packed) => {
      if (error) return fail(error);
      gunzip(packed, (again, plain) =>
        again ? fail(again) : response.end(String(plain.toString() === text)),
      );
    });
  } else if (request.url === '/file') {
    readFile(new URL(import.meta.url), (error, data) =>
      error ? fail(error) : response.end(String(data.length > 100)),
    );
  } else if (request.url === '/timer') {
    const before = ticks;
    setTimeout(() => response.end(String(ticks > before)), 60);
  } else {
    response.end(
      JSON.stringify({
        requests,
        ticks,
        pid: process.pid,
        sum: state.reduce((s, x) => s + x.index, 0),
      }),
    );
  }
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () =>
  console.log(`listening ${server.address().port}`),
);
