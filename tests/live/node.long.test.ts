import { afterAll, describe, test } from 'vitest';
import { Lab } from './lab.ts';
import { serveOn, serveThrough } from './node-server.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

describe.each([20, 22, 24, 26] as const)('an HTTP server on Node %i', (version) => {
  test('serves on after 20 rounds of checkpoint, kill, restart', async () => {
    await serveThrough(lab, version, 20);
  });

  test('never notices that it is checkpointed ten times', async () => {
    await serveOn(lab, version, 10);
  });
});
