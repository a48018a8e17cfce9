import { expect, test } from 'vitest';
import { killSweep } from '../testing/kill-sweep.ts';
import { scratch } from '../testing/scratch.ts';

const path = scratch();

test('a restart whose restarter is killed at any point leaves nothing, or a whole process', async () => {
  const swept = await killSweep(path, () => true);
  console.log(`killed at all of ${swept.points} points, ${swept.whole} behind the last detach`);
  // A stop more or less in the first run moves the last point of its name.
  expect(swept.killed).toBeGreaterThan(swept.points - 4);
});
