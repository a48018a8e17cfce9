import { afterAll, describe, test } from 'vitest';
import {
  allOrNothing,
  counterOutlives,
  nameIsKept,
  sleepOutlives,
  threadsOutlive,
} from './killed-cases.ts';
import { connectionIsKept, connectionOutlives } from './killed-connection.ts';
import { Lab } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

describe('SIGKILL of the checkpointer', () => {
  test('at every point leaves a counting program unharmed', async () => {
    await counterOutlives(lab, Infinity);
  });

  test('at every point leaves threads that wait for each other unharmed', async () => {
    await threadsOutlive(lab, Infinity);
  });

  test('at many points leaves connections in full flow unharmed', async () => {
    await connectionOutlives(lab, 20);
  });

  test('around the kill leaves a connection that goes on, or waits', async () => {
    await connectionIsKept(lab, 3);
  });

  test('at random moments does not shorten or prolong a nanosleep', async () => {
    // Three at once: most of the time is waiting.
    await Promise.all([1, 2, 3].map((seed) => sleepOutlives(lab, 170, seed)));
  });

  test('leaves no image under the name that was asked for', async () => {
    await nameIsKept(lab, 20);
  });
});

describe('SIGKILL of the restarter', () => {
  test('leaves all of the process or nothing of it', async () => {
    await allOrNothing(lab, Infinity);
  });
});
