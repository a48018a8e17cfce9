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
  test('at some points leaves a counting program unharmed', async () => {
    await counterOutlives(lab, 14);
  });

  test('at some points leaves threads that wait for each other unharmed', async () => {
    await threadsOutlive(lab, 8);
  });

  test('at some points leaves a connection in full flow unharmed', async () => {
    await connectionOutlives(lab, 5);
  });

  test('around the kill leaves a connection that goes on, or waits', async () => {
    await connectionIsKept(lab, 10);
  });

  test('at random moments does not shorten or prolong a nanosleep', async () => {
    await Promise.all([1, 2, 3].map((seed) => sleepOutlives(lab, 10, seed)));
  });

  test('leaves no image under the name that was asked for', async () => {
    await nameIsKept(lab, 4);
  });
});

describe('SIGKILL of the restarter', () => {
  test('leaves all of the process or nothing of it', async () => {
    await allOrNothing(lab, 10);
  });
});
