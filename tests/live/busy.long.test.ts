import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { nodeBinary } from '../support/nodes.ts';
import { debianProgram, having, npmProgram, python } from '../support/programs.ts';
import { httpClients, redisClients } from './clients.ts';
import { freePort } from './http.ts';
import { answersThrough, busyThrough } from './keep-alive.ts';
import { Lab, type Program } from './lab.ts';
import { redis } from './redis.ts';
import { answers, counting } from './serving.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const script = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));
const plan = { left: 2, rounds: 3 } as const;

/** Every answer is right, and each number is given once. */
async function countsBusily(server: Program): Promise<void> {
  const [, port = ''] = await server.saw(/listening (\d+)/);
  const { check, isWhole } = counting();
  const clients = httpClients(Number(port), ['/'], (_path, text) => {
    check(text);
  });
  isWhole(await busyThrough(lab, server, clients, plan));
  server.kill();
}

describe.concurrent('connections that last, and are asked over all the time, never notice', () => {
  test.for([22, 24, 26] as const)('on Node %i', async (version) => {
    await answersThrough(lab, plan.left, plan.rounds, nodeBinary(version));
  });

  test('on Bun', async (context) => {
    const bun = having(context, npmProgram('bun'));
    await countsBusily(lab.start(bun, [script('fetch-server.mjs')]));
  });

  test('on Deno', async (context) => {
    const deno = having(context, npmProgram('deno'));
    await countsBusily(lab.start(deno, ['run', '-A', script('fetch-server.mjs')]));
  });

  test('on asyncio', async (context) => {
    const path = having(context, python());
    await countsBusily(lab.start(path, ['-u', script('asyncio_server.py')]));
  });

  test('of nginx', async (context) => {
    const nginx = having(context, debianProgram('nginx'));
    const port = await freePort();
    const folder = lab.path('nginx');
    mkdirSync(folder);
    const page = 'page '.repeat(10_000);
    writeFileSync(`${folder}/page.txt`, page);
    const config = `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
      events { worker_connections 64; }
      http { access_log off; keepalive_requests 1000000;
        server { listen 127.0.0.1:${port}; root ${folder}; } }`;
    writeFileSync(`${folder}/nginx.conf`, config);
    const server = lab.start(nginx, ['-p', folder, '-c', `${folder}/nginx.conf`]);
    expect(await answers(server, port, '/page.txt')).toBe(page);
    const clients = httpClients(port, ['/page.txt'], (_path, text) => {
      if (text !== page) throw new Error(`${text.length} bytes that are not the page`);
    });
    await busyThrough(lab, server, clients, plan);
    server.kill();
  });

  test('of redis', async (context) => {
    const port = await freePort();
    const args = ['--port', String(port), '--dir', lab.folder, '--save', ''];
    const program = having(context, debianProgram('redis-server'));
    const server = lab.start(program, [...args, '--jemalloc-bg-thread', 'no']);
    expect(await redis(port, 'SET key value')).toEqual(['+OK']);
    const answered = await busyThrough(lab, server, redisClients(port), plan);
    const keys = await redis(port, ...[0, 1, 2].map((n) => `INCRBY client${n} 0`), 'GET key');
    const counts = keys.slice(0, 3).map((key) => Number(key.slice(1)));
    expect(counts.reduce((sum, each) => sum + each)).toBe(answered);
    expect(keys.slice(3)).toEqual(['$5', 'value']);
    server.kill();
  });
});
