import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { endEcho, filtersOf, goesOn, startEcho, startSelf } from './echo.ts';
import { answersThrough } from './keep-alive.ts';
import { Lab, type Program } from './lab.ts';
import { cycle, good } from './unblocked.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const script = (name: string) => fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));

describe('a connection in full flow', () => {
  test('of a server goes on after checkpoint, kill and restart', async () => {
    const echo = await startEcho(lab, 40, '127.0.0.1');
    const said = await cycle(lab, echo.server, 'server.ckpt');
    expect(said).toContain(`ckpt-${String(echo.server.pid)}-`);
    expect(filtersOf(echo.server.pid)).toEqual([]);
    await goesOn(echo.client);
    await endEcho(echo, 40);
  });

  test('whose both ends are in one process does, killed or not', async () => {
    const both = await startSelf(lab, '127.0.0.1');
    await good(lab, 'checkpoint', '--force', '-o', 'left.ckpt', String(both.pid));
    await goesOn(both);
    await cycle(lab, both, 'self.ckpt');
    await goesOn(both);
    both.kill();
    await both.gone();
    // The image of the time when it was left running is a whole one, too.
    await good(lab, 'restart', '--detach', 'left.ckpt');
    await goesOn(both);
    await endEcho({ server: both, client: both }, 4);
  });
});

/** The bytes that came over a connection up to its end, and how it ended. */
function untilEnd(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(String(error.code));
    });
    socket.once('end', () => {
      resolve('end');
    });
    socket.resume();
  });
}

describe('a connection one of whose directions is over', () => {
  async function half(how: 'close' | 'keep') {
    const server = lab.start(process.execPath, [script('half'), how]);
    const [, port = ''] = await server.saw(/listening (\d+)/);
    const socket = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
    await server.saw(/connected/);
    let text = '';
    socket.on('data', (part) => (text += String(part)));
    return { server, socket, text: () => text };
  }

  test('goes on in the other, when our end has closed', async () => {
    const { server, socket, text } = await half('close');
    await new Promise((resolve) => socket.once('end', resolve));
    expect(text()).toBe('bye');
    await cycle(lab, server, 'half.ckpt');
    socket.end('more');
    await server.saw(/read 4\nended\nclosed/);
    server.kill();
  });

  test('goes on in the other, when the other end has', async () => {
    const { server, socket, text } = await half('keep');
    await new Promise((resolve) => socket.end('hello', resolve as () => void));
    await cycle(lab, server, 'half.ckpt');
    const ended = new Promise((resolve) => socket.once('end', resolve));
    server.kill('SIGUSR2');
    await ended;
    expect(text()).toBe('got 5');
    await server.saw(/read 5\nended\nclosed/);
    server.kill();
  });
});

async function idle(): Promise<{ server: Program; socket: Socket; ended: Promise<string> }> {
  const server = lab.start(process.execPath, [script('echo'), '127.0.0.1']);
  const [, port = ''] = await server.saw(/listening (\d+)/);
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  await new Promise((resolve) => {
    socket.once('data', resolve);
    socket.write('hello');
  });
  return { server, socket, ended: untilEnd(socket) };
}

describe('--tcp=close', () => {
  test('at a checkpoint ends connections for both sides', async () => {
    const { server, ended } = await idle();
    const args = ['checkpoint', '--kill', '--tcp=close', '-o', 'close.ckpt', String(server.pid)];
    expect(await good(lab, ...args)).toMatch(
      /find it closed after a restart: as told \(--tcp=close\)/,
    );
    expect(await ended).toMatch(/^(end|ECONNRESET)$/);
    await server.gone();
    server.restarted();
    await good(lab, 'restart', '--detach', 'close.ckpt');
    await server.saw(/served 5 /);
    expect(server.text()).not.toContain('broken');
    server.kill();
  });

  test('at a restart does, too', async () => {
    const { server, ended } = await idle();
    await cycle(lab, server, 'later.ckpt', '--tcp=close');
    await server.saw(/served 5 /);
    expect(await ended).toBe('end');
    expect(filtersOf(server.pid)).toEqual([]);
    server.kill();
  });

  test('a connection that was told to go on does so, or nothing does', async () => {
    const { server, socket } = await idle();
    await cycle(lab, server, 'told.ckpt', '--tcp=repair');
    const answered = new Promise((resolve) => socket.once('data', resolve));
    socket.write('again');
    await answered;
    // A second restart of the same image, once this one has gone: its connections are no more.
    server.kill();
    await server.gone();
    await good(lab, 'restart', '--detach', 'told.ckpt');
    await server.saw(/broken ECONNRESET|served/);
    socket.destroy();
    server.kill();
  });
});

test('connections of a process that will not be restarted can be let go', async () => {
  const { server, socket, ended } = await idle();
  const { pid } = server;
  const said = await good(lab, 'checkpoint', '--kill', '-o', 'never.ckpt', String(pid));
  expect(said).toContain(`ckpt release ${String(pid)}`);
  await server.gone();
  expect(filtersOf(pid)).toHaveLength(1);
  await good(lab, 'release', String(pid));
  expect(filtersOf(pid)).toEqual([]);
  socket.write('is anybody there?');
  expect(await ended).toBe('ECONNRESET');
  expect(lab.ckpt('release', String(pid)).stderr).toMatch(/^ckpt: ENOENT/);
});

test('a Node server answers requests of lasting connections through it all', async () => {
  await answersThrough(lab, 1, 2);
});
