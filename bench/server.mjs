/**
 * A Node HTTP server up to its first answer: started cold, and restarted warm from its image, by
 * the command and within a process that has restarted others (aims: under 60 ms there, and at most
 * 1.5 times the copying of the image's bytes). A server that is small, and one that loads a large
 * framework. As root; `tsc -b` first: node bench/server.mjs
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync, mkdtempSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createEngine } from '@ckpt/engine';
import { createImage, openImage } from '@ckpt/io/node';
import { createLinuxHost } from '@ckpt/linux/host';
import { kill, median, ms, plainRead, ratio, row, start, timed } from './measure.mjs';

const rounds = Number(process.env.ROUNDS ?? 5);
const folder = mkdtempSync(join(tmpdir(), 'ckpt-bench-'));
const image = join(folder, 'image.ckpt');
const ckpt = fileURLToPath(new URL('../apps/cli/bin/ckpt.js', import.meta.url));
const engine = createEngine(createLinuxHost());
const found = (name) => JSON.stringify(import.meta.resolve(name));

const servers = {
  'small server': `const answer = () => 'ok';`,
  'server with ESLint and TypeScript': `
    import { Linter } from ${found('eslint')};
    import { parser } from ${found('typescript-eslint')};
    const config = [{ files: ['**/*.ts'], languageOptions: { parser }, rules: { 'no-var': 2 } }];
    const answer = () => {
      const [found] = new Linter().verify('var a: number = 1;', config, 'a.ts');
      return found.ruleId === 'no-var' ? 'ok' : 'wrong';
    };`,
};

/** The answer of the server on that port; undefined when there is none yet. */
function ask(port) {
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () => resolve(text));
    });
    request.on('error', () => resolve(undefined));
  });
}

async function firstAnswer(port) {
  for (;;) {
    const answer = await ask(port);
    if (answer === 'ok') return;
    if (answer !== undefined) throw new Error(`the server answers ${answer}`);
    await sleep(1);
  }
}

/** Milliseconds from the start of `begin` to the first answer, and what it returned. */
async function untilAnswer(port, begin) {
  const from = performance.now();
  const value = await begin();
  await firstAnswer(port);
  return { ms: performance.now() - from, value };
}

/** A port that was free a moment ago. */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The server may still have the connection of the client whose answer has come. */
async function checkpoint(pid) {
  for (let left = 100; ; left--) {
    const target = createImage(image, { force: true });
    try {
      engine.checkpoint(pid, target.file);
      target.commit();
      return;
    } catch (error) {
      target.abort();
      if (left === 0) throw error;
      await sleep(10);
    }
  }
}

function restart() {
  const file = openImage(image);
  try {
    return engine.restart(0, file).running;
  } finally {
    file.close();
  }
}

/** The command, which prints the pid and ends. */
function restartByCommand() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ckpt, 'restart', '--detach', image], {
      stdio: 'ignore',
    });
    child.on('exit', (status) =>
      status === 0 ? resolve() : reject(new Error(`ckpt ended with ${status}`)),
    );
  });
}

/** Until the pid is free: its parent may be anybody. */
async function gone(pid) {
  for (;;) {
    try {
      readFileSync(`/proc/${pid}/stat`);
    } catch {
      return;
    }
    await sleep(5);
  }
}

async function end(pid, running) {
  kill(pid);
  await running?.wait();
  await gone(pid);
}

async function bench(name, text) {
  const path = join(folder, `${name.replaceAll(' ', '-')}.mjs`);
  writeFileSync(
    path,
    `import { createServer } from 'node:http';
     ${text}
     createServer((request, response) => response.end(answer()))
       .listen(Number(process.argv[2]), '127.0.0.1');`,
  );
  const figures = { cold: [], command: [], inside: [], call: [], copy: [] };
  for (let round = -1; round < rounds; round++) {
    const port = await freePort();
    const cold = await untilAnswer(port, () => start(process.execPath, [path, String(port)]));
    const pid = cold.value;
    await checkpoint(pid);
    await end(pid);
    const copy = plainRead(image, statSync(image).size);
    const inside = await untilAnswer(port, () => timed(restart));
    await end(pid, inside.value.value);
    const command = await untilAnswer(port, restartByCommand);
    await end(pid);
    if (round < 0) continue;
    figures.cold.push(cold.ms);
    figures.inside.push(inside.ms);
    figures.call.push(inside.value.ms);
    figures.command.push(command.ms);
    figures.copy.push(copy);
  }
  const [cold, command, inside, call, copy] = Object.values(figures).map(median);
  row(name, {
    image: `${(statSync(image).size / 2 ** 20).toFixed(1)} MiB`,
    'cold start': ms(cold),
    'ckpt restart': `${ms(command)}, cold ${(cold / command).toFixed(1)} times that`,
    'within a process': `${ms(inside)}, cold ${(cold / inside).toFixed(1)} times that`,
    'the call alone': ms(call),
    'against copying': ratio(call / copy, 1.5),
  });
}

try {
  for (const [name, text] of Object.entries(servers)) await bench(name, text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
