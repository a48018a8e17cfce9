import { afterAll, describe, test } from 'vitest';
import { Lab } from './lab.ts';
import { serveOn, serveThrough } from './node-server.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

describe.each([20, 24] as const)('an HTTP server on Node %i', (version) => {
  test('serves on after rounds of checkpoint, kill, restart', { timeout: 120_000 }, async () => {
    await serveThrough(lab, version, 4);
  });

  test('never notices that it is checkpointed', async () => {
    await serveOn(lab, version, 2);
  });
});
