// A small HTTP server that uses what servers use: timers, fs and zlib in the thread pool, a worker.
import { createServer } from 'node:http';
import { readFile } from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { gzip, gunzip } from 'node:zlib';

const state = Array.from({ length: 10_000 }, (_, index) => ({ index, name: `item ${index}` }));
const sum = () => state.reduce((s, x) => s + x.index, 0);

if (isMainThread) serve();
else parentPort.on('message', (id) => parentPort.postMessage({ id, sum: sum() }));

function serve() {
  let requests = 0;
  let ticks = 0;
  setInterval(() => ticks++, 20);
  process.on('SIGUSR2', () => console.log(`usr2 after ${requests}`));

  const worker = new Worker(new URL(import.meta.url));
  const asked = new Map();
  worker.on('message', ({ id, sum: found }) => {
    asked.get(id)(found);
    asked.delete(id);
  });

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
      // Behind a stall Node runs all timers of 60 ms before that of 20 ms.
      const ticked = () => (ticks > before ? response.end('true') : setTimeout(ticked, 5));
      setTimeout(ticked, 60);
    } else if (request.url === '/worker') {
      asked.set(requests, (found) => response.end(String(found === 49_995_000)));
      worker.postMessage(requests);
    } else {
      response.end(JSON.stringify({ requests, ticks, pid: process.pid, sum: sum() }));
    }
  });
  // A request that waits for the restart is answered, however long it waits.
  server.keepAliveTimeout = 60_000;
  server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () =>
    console.log(`listening ${server.address().port}`),
  );
}
