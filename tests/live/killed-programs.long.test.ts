import { execFile as callback } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { nodeBinary } from '../support/nodes.ts';
import { debianProgram, having, npmProgram, python } from '../support/programs.ts';
import { ask, connectionsGone, freePort } from './http.ts';
import { find, Lab, type Program } from './lab.ts';
import { redis } from './redis.ts';
import { answers, counting } from './serving.ts';
import { survives, type Survivor } from './survives.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const execFile = promisify(callback);

interface Said {
  readonly stderr: string;
}

const script = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

/** A server that counts its requests. */
async function counter(target: Program): Promise<Survivor> {
  const [, found = ''] = await target.saw(/listening (\d+)/);
  const port = Number(found);
  const { check, isWhole } = counting();
  let count = 0;
  const goesOn = async () => {
    check(await ask(port));
    isWhole(++count);
    await connectionsGone(port);
  };
  return { target, goesOn };
}

async function node(path: string): Promise<Survivor> {
  const target = lab.start(path, [script('server.mjs')]);
  const [, found = ''] = await target.saw(/listening (\d+)/);
  const port = Number(found);
  const goesOn = async () => {
    const paths = ['/zlib', '/worker', '/file'];
    const all = await Promise.all(paths.map((each) => ask(port, each)));
    expect(all).toEqual(paths.map(() => 'true'));
    await connectionsGone(port);
  };
  return { target, goesOn };
}

/** All that it has printed, once it has ended. */
async function printed(target: Program): Promise<readonly string[]> {
  target.kill();
  await target.gone();
  return target.lines();
}

/** A program that prints lines by itself. */
function printing(target: Program): Survivor {
  return { target, goesOn: () => target.saw(/\n/, target.text().length, 60_000) };
}

describe.concurrent('SIGKILL of the checkpointer, at chosen points and random moments,', () => {
  test.for([20, 22, 24, 26] as const)('leaves Node %i unharmed', async (version) => {
    await survives(
      lab,
      await node(version === 20 ? process.execPath : nodeBinary(version)),
      version,
    );
  });

  test('leaves Bun unharmed', async (context) => {
    const bun = having(context, npmProgram('bun'));
    await survives(lab, await counter(lab.start(bun, [script('fetch-server.mjs')])), 1);
  });

  test('leaves Deno unharmed', async (context) => {
    const deno = having(context, npmProgram('deno'));
    const target = lab.start(deno, ['run', '-A', script('fetch-server.mjs')]);
    await survives(lab, await counter(target), 2);
  });

  test('leaves asyncio unharmed', async (context) => {
    const target = lab.start(having(context, python()), ['-u', script('asyncio_server.py')]);
    await survives(lab, await counter(target), 3);
  });

  test('leaves a transaction of sqlite unharmed', async (context) => {
    const path = having(context, python());
    const [database, end] = [lab.path('some.db'), lab.path('some.end')];
    const target = lab.start(path, [script('transaction.py'), 'wal', database, end]);
    await target.saw(/open/);
    const begin = `import sqlite3; sqlite3.connect(${JSON.stringify(database)}, 0).execute("BEGIN IMMEDIATE")`;
    const goesOn = async () => {
      const { stderr } = await execFile(path, ['-c', begin]).catch(
        (error: unknown) => error as Said,
      );
      expect(stderr).toMatch(/database is locked/);
    };
    await survives(lab, { target, goesOn, isQuiet: true }, 6);
    writeFileSync(end, '');
    await target.saw(/committed 1001 500500/);
  });

  test('leaves Go unharmed (esbuild)', async (context) => {
    const esbuild = having(context, npmProgram('esbuild'));
    const port = await freePort();
    const folder = lab.path('esbuild');
    mkdirSync(folder);
    writeFileSync(`${folder}/in.js`, 'console.log("built")');
    const target = lab.start(esbuild, [
      ...[`--serve=127.0.0.1:${port}`, '--watch=forever', `--servedir=${folder}`],
      ...[`${folder}/in.js`, `--outdir=${folder}/out`],
    ]);
    const goesOn = async () => {
      expect(await answers(target, port, '/out/in.js')).toContain('built');
      await connectionsGone(port);
    };
    await survives(lab, { target, goesOn }, 7);
  });

  test('leaves nginx unharmed', async (context) => {
    const nginx = having(context, debianProgram('nginx'));
    const port = await freePort();
    const folder = lab.path('nginx');
    mkdirSync(folder);
    writeFileSync(`${folder}/page.txt`, 'page');
    const config = `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
      events { worker_connections 64; }
      http { access_log off; server { listen 127.0.0.1:${port}; root ${folder}; } }`;
    writeFileSync(`${folder}/nginx.conf`, config);
    const target = lab.start(nginx, ['-p', folder, '-c', `${folder}/nginx.conf`]);
    const goesOn = async () => {
      expect(await answers(target, port, '/page.txt')).toBe('page');
      await connectionsGone(port);
    };
    await survives(lab, { target, goesOn }, 8);
  });

  test('leaves redis unharmed', async (context) => {
    const program = having(context, debianProgram('redis-server'));
    const port = await freePort();
    const own = ['--port', String(port), '--dir', lab.folder, '--save', ''];
    const target = lab.start(program, [...own, '--jemalloc-bg-thread', 'no']);
    expect(await redis(port, 'SET key value')).toEqual(['+OK']);
    let count = 0;
    const goesOn = async () => {
      expect(await redis(port, 'INCR n', 'GET key')).toEqual([`:${++count}`, '$5', 'value']);
    };
    await survives(lab, { target, goesOn }, 9);
  });

  test('leaves Java unharmed', async (context) => {
    const java = find('java') ?? context.skip('no java');
    const target = lab.start(java, ['-Xmx128m', script('Queue.java')]);
    await target.saw(/^n 20$/m, 0, 60_000);
    await survives(lab, printing(target), 10);
    const lines = await printed(target);
    expect(lines).toEqual(lines.map((_, n) => `n ${n + 1}`));
  });
});

// They leave nobody else any time: one after the other.
describe('SIGKILL of the checkpointer, at chosen points and random moments,', () => {
  test('leaves threads of Python unharmed', async (context) => {
    const target = lab.start(having(context, python()), [script('thread_queue.py')]);
    await target.saw(/round 2000$/m);
    await survives(lab, printing(target), 4);
    const lines = await printed(target);
    expect(lines).toEqual(lines.map((_, n) => `round ${(n + 1) * 1000}`));
  });

  test('leaves a number cruncher unharmed', async (context) => {
    const target = lab.start(having(context, python()), [script('cruncher.py')]);
    await survives(lab, printing(target), 5);
    // What 20,000 steps do is one step of the same kind.
    const prime = 2n ** 61n - 1n;
    let [a, c] = [1n, 0n];
    for (let n = 0; n < 20_000; n++) {
      [a, c] = [(a * 0x5deece66dn) % prime, (c * 0x5deece66dn + 11n) % prime];
    }
    let x = 1n;
    for (const [index, line] of (await printed(target)).entries()) {
      x = (a * x + c) % prime;
      expect(line).toBe(`n ${index + 1} ${x}`);
    }
  });
});
