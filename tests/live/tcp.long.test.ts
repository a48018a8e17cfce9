import { afterAll, describe, expect, test } from 'vitest';
import { endEcho, filtersOf, goesOn, startEcho } from './echo.ts';
import { answersThrough } from './keep-alive.ts';
import { Lab } from './lab.ts';
import { cycle, good } from './unblocked.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

describe.concurrent('a connection in full flow', () => {
  test('of a client goes on after checkpoint, kill and restart, over IPv6', async () => {
    const echo = await startEcho(lab, 40, '::1');
    await cycle(lab, echo.client, 'client.ckpt');
    await goesOn(echo.client);
    await endEcho(echo, 40);
  });

  test('is not harmed by checkpoints that leave it running', async () => {
    const echo = await startEcho(lab, 10, '::', '127.0.0.1');
    for (const { pid } of [echo.server, echo.client, echo.server]) {
      const said = await good(lab, 'checkpoint', '--force', '-o', 'running.ckpt', String(pid));
      expect(said).not.toContain('filter');
      expect(filtersOf(pid)).toEqual([]);
      await goesOn(echo.client);
    }
    await endEcho(echo, 10);
  });
});

test('a Node server answers requests of lasting connections through 5 rounds', async () => {
  await answersThrough(lab, 3, 5);
});
