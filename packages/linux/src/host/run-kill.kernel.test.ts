import { expect, test } from 'vitest';
import { codeAddress, freePid, HandPlan, registersAt } from '../testing/hand-plan.ts';
import { killSweep } from '../testing/kill-sweep.ts';
import { programs } from '../testing/programs.ts';
import { Restarter } from '../testing/restarter.ts';
import { scratch } from '../testing/scratch.ts';

const path = scratch();

test('a restart whose restarter is killed leaves nothing, or a whole process', async () => {
  // Other points at each run; all of them in the long tests.
  const every = 8;
  const offset = Math.floor(Math.random() * every);
  const swept = await killSweep(path, (point) => point % every === offset);
  console.log(`killed at ${swept.killed} of ${swept.points} points, from ${offset} on`);
  expect(swept.killed).toBeGreaterThan(swept.points / every);
  expect(swept.whole).toBeGreaterThan(0);
});

/** A process that says hello and ends with 7. */
function hello(): HandPlan {
  const hand = new HandPlan(freePid());
  hand.codeWithoutStore(programs.hello);
  hand.output(path('output'));
  hand.resume({ registers: registersAt(codeAddress) });
  return hand;
}

test('who may not choose pids is told what to do', () => {
  const restarter = new Restarter(path, ['unshare', '--user', '--map-root-user']);
  const hand = hello();
  expect(restarter.run(hand.plan())?.error).toMatch(
    new RegExp(
      `^EPERM at 0x1000 in test: pid ${hand.pid} may not be chosen; run as root .*unshare`,
    ),
  );
});

test('a restart needs no privilege in a user and pid namespace of its own', () => {
  const before = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--mount-proc'];
  const hand = hello();
  const done = new Restarter(path, before).run(hand.plan(), 'wait');
  expect(done).toMatchObject({ pid: hand.pid, status: 7 << 8 });
});
