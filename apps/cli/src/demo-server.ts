/** A server with something to lose: it works for a while before it can answer, and counts its answers. */
export const demoServer = `import { createServer } from 'node:http';

// What makes a start slow: a table that is worked out first.
const sieve = new Uint8Array(20_000_000).fill(1);
let primes = 0;
for (let n = 2; n < sieve.length; n++) {
  if (!sieve[n]) continue;
  primes++;
  for (let m = n * n; m < sieve.length; m += n) sieve[m] = 0;
}

let answers = 0;
createServer((request, response) => {
  answers++;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ pid: process.pid, answers, primes }) + '\\n');
}).listen(Number(process.argv[2] ?? 8080), '127.0.0.1');
`;
