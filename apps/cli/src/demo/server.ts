/**
 * A server with something to lose: it works for a while before it can answer, and counts its
 * answers. Runs as a program of its own: `node server.js PORT`.
 */
import { createServer } from 'node:http';

/** What makes its start slow: how many primes there are below this. */
const limit = 20_000_000;

function countPrimes(): number {
  const composite = new Uint8Array(limit);
  let primes = 0;
  for (let n = 2; n < limit; n++) {
    if (composite[n] === 1) continue;
    primes++;
    for (let m = n * n; m < limit; m += n) composite[m] = 1;
  }
  return primes;
}

const primes = countPrimes();
let answers = 0;

createServer((_request, response) => {
  answers++;
  response.setHeader('content-type', 'application/json');
  response.end(`${JSON.stringify({ pid: process.pid, answers, primes })}\n`);
}).listen(Number(process.argv[2] ?? 8080), '127.0.0.1');
