import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { Lab } from './lab.ts';
import { isFree } from './sweep.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const host = fileURLToPath(new URL('../../packages/linux/dist/host/index.js', import.meta.url));

/** Runs a program that imports the compiled host and prints JSON. */
function program(body: string): unknown {
  const path = lab.path('user.mjs');
  writeFileSync(path, `import { checkpointProcess } from ${JSON.stringify(host)};\n${body}`);
  const done = lab.run(process.execPath, [path]);
  expect(done.stderr).toBe('');
  return JSON.parse(done.stdout);
}

test('a library user checkpoints on a thread of its own, and lives on', async () => {
  const target = lab.start(lab.compile('threads'), ['3']);
  await target.saw(/round 100/);
  const image = JSON.stringify(lab.path('library.ckpt'));
  const made = program(`
    const { pid, frozenMs } = await checkpointProcess({ pid: ${String(target.pid)}, to: ${image} });
    console.log(JSON.stringify({ pid, frozen: frozenMs > 0 }));`);
  expect(made).toEqual({ pid: target.pid, frozen: true });
  expect(lab.good('verify', '--json', 'library.ckpt').stdout).toContain('"ok":true');
  await isFree(target);
  target.kill();
});

test('a parent in vfork(2) is let go although the user lives on', async () => {
  const target = lab.start(lab.compile('vfork'), ['1500']);
  await target.saw(/begin/);
  const image = JSON.stringify(lab.path('vfork.ckpt'));
  const request = `{ pid: ${String(target.pid)}, to: ${image}, deadlineMs: 300 }`;
  const found = program(`
    const error = await checkpointProcess(${request}).catch((error) => error);
    const tracer = (await import('node:fs')).readFileSync('/proc/${String(target.pid)}/status', 'utf8');
    console.log(JSON.stringify({ name: error.name, tracer: /TracerPid:\\s*(\\d+)/.exec(tracer)[1] }));`);
  expect(found).toEqual({ name: 'CkptError', tracer: '0' });
  await target.saw(/parent goes on/);
  await isFree(target);
  target.kill();
});

test('obstacles come through', () => {
  const child = spawnSync('true'); // its pid is free again
  const found = program(`
    const error = await checkpointProcess({ pid: ${String(child.pid)}, to: '/dev/null' }).catch((e) => e);
    console.log(JSON.stringify({ code: error.code }));`);
  expect(found).toEqual({ code: 'ESRCH' });
});
