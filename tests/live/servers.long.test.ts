import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { debianProgram, having, npmProgram, python } from '../support/programs.ts';
import { ask, connectionsGone, freePort } from './http.ts';
import { Lab } from './lab.ts';
import { redis } from './redis.ts';
import { answers, countsThrough, leavesNothing } from './serving.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const script = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

describe.concurrent('a server that was checkpointed, killed and restarted', () => {
  test('on Bun answers every request once', async (context) => {
    const bun = having(context, npmProgram('bun'));
    await countsThrough(lab, lab.start(bun, [script('fetch-server.mjs')]), 3);
  });

  test('on Deno answers every request once', async (context) => {
    const deno = having(context, npmProgram('deno'));
    await countsThrough(lab, lab.start(deno, ['run', '-A', script('fetch-server.mjs')]), 3);
  });

  test('on asyncio answers every request once', async (context) => {
    const server = lab.start(having(context, python()), ['-u', script('asyncio_server.py')]);
    await countsThrough(lab, server, 3);
  });

  test('in Go builds anew what changes (esbuild)', async (context) => {
    const esbuild = having(context, npmProgram('esbuild'));
    const port = await freePort();
    const folder = lab.path('esbuild');
    mkdirSync(folder);
    const write = (n: number) => {
      writeFileSync(`${folder}/in.js`, `export const n = ${n}; console.log(n)`);
    };
    write(0);
    const out = `--outdir=${folder}/out`;
    const server = lab.start(esbuild, [
      ...[`--serve=127.0.0.1:${port}`, '--watch=forever'],
      ...[`--servedir=${folder}`, `${folder}/in.js`, out],
    ]);
    expect(await answers(server, port, '/out/in.js')).toContain('n = 0');
    for (let round = 1; round <= 3; round++) {
      await connectionsGone(port);
      await lab.cycle(server);
      write(round);
      while (!(await ask(port, '/out/in.js')).includes(`n = ${round}`));
    }
    server.kill();
  });

  test('nginx serves files, and logs each request', async (context) => {
    const nginx = having(context, debianProgram('nginx'));
    const port = await freePort();
    const folder = lab.path('nginx');
    mkdirSync(folder);
    const page = 'page '.repeat(10_000);
    writeFileSync(`${folder}/page.txt`, page);
    const config = `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
      events { worker_connections 64; }
      http { access_log ${folder}/access.log; server { listen 127.0.0.1:${port}; root ${folder}; } }`;
    writeFileSync(`${folder}/nginx.conf`, config);
    const server = lab.start(nginx, ['-p', folder, '-c', `${folder}/nginx.conf`]);
    let asked = 0;
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 10; n++, asked++) {
        expect(await answers(server, port, '/page.txt')).toBe(page);
      }
      await connectionsGone(port);
      if (round === 0) await leavesNothing(lab, server);
      await lab.cycle(server);
    }
    expect(readFileSync(`${folder}/access.log`, 'utf8').match(/ 200 50000 /g)).toHaveLength(asked);
    server.kill('SIGTERM');
    await server.gone();
    expect(readFileSync(`${folder}/error.log`, 'utf8')).toBe('');
  });

  test('redis keeps its data, in memory and on disk', async (context) => {
    const program = having(context, debianProgram('redis-server'));
    const port = await freePort();
    const folder = lab.path('redis');
    mkdirSync(folder);
    const args = [
      ...['--port', String(port), '--dir', folder, '--save', '', '--appendonly', 'yes'],
      // A thread that comes and goes by itself.
      ...['--jemalloc-bg-thread', 'no'],
    ];
    const server = lab.start(program, args);
    const keys = Array.from({ length: 500 }, (_, n) => `SET key${n} value${n}`);
    expect(await redis(port, ...keys)).toEqual(keys.map(() => '+OK'));
    await redis(port, 'SET short 1 EX 100000');
    await leavesNothing(lab, server);
    for (let round = 1; round <= 3; round++) {
      await lab.cycle(server);
      const got = await redis(port, 'INCR n', 'DBSIZE', 'GET key499', 'TTL short');
      expect(got.slice(0, -1)).toEqual([`:${round}`, ':502', '$8', 'value499']);
      expect(Number(got.at(-1)?.slice(1))).toBeGreaterThan(90_000);
    }
    // A child of its own writes a snapshot; then another redis finds all on disk.
    expect(await redis(port, 'BGREWRITEAOF')).toEqual([
      '+Background append only file rewriting started',
    ]);
    await server.saw(/Background AOF rewrite finished successfully/);
    await redis(port, 'INCR n', 'SHUTDOWN');
    await server.gone();
    const next = lab.start(program, args);
    await next.saw(/Ready to accept connections/);
    expect(await redis(port, 'GET n', 'DBSIZE')).toEqual(['$1', '4', ':502']);
    next.kill();
  });
});

test('threads of Python that were checkpointed, killed and restarted lose nothing', async (context) => {
  const path = having(context, python());
  const program = lab.start(path, [script('thread_queue.py')]);
  for (let round = 1; round <= 5; round++) {
    await program.saw(new RegExp(`^round ${program.lines().length + 2}000$`, 'm'));
    await lab.cycle(program);
  }
  await program.saw(new RegExp(`^round ${program.lines().length + 2}000$`, 'm'));
  const lines = program.lines();
  expect(lines).toEqual(lines.map((_, index) => `round ${(index + 1) * 1000}`));
  program.kill();
});

describe.concurrent('an open transaction of sqlite', () => {
  test.for(['delete', 'wal'])(
    'keeps others out, and is committed (journal mode %s)',
    async (mode, context) => {
      const path = having(context, python());
      const [database, end] = [lab.path(`${mode}.db`), lab.path(`${mode}.end`)];
      const program = lab.start(path, [script('transaction.py'), mode, database, end]);
      await program.saw(/open/);
      await leavesNothing(lab, program);
      for (let round = 0; round < 2; round++) {
        await lab.cycle(program);
        const begin = `import sqlite3; sqlite3.connect(${JSON.stringify(database)}, 0).execute("BEGIN IMMEDIATE")`;
        expect(lab.run(path, ['-c', begin]).stderr).toMatch(/database is locked/);
      }
      writeFileSync(end, '');
      await program.saw(/committed 1001 500500/);
      await program.gone();
    },
  );
});
