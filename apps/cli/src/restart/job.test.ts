import { describe, expect, it } from 'vitest';
import { jobOf, sharedSignal, type Job } from './job.ts';

const front: Job = { state: 'S', group: 10, terminal: 0x8801, foreground: 10 };
const service: Job = { state: 'S', group: 10, terminal: 0, foreground: -1 };
const back: Job = { ...front, foreground: 7 };

describe('a job', () => {
  it('is found by its pid', () => {
    expect(jobOf('self')).toEqual(jobOf(process.pid));
    expect(jobOf('self')?.group).toBeGreaterThan(0);
    expect(jobOf(4_194_303)).toBeUndefined();
  });
});

describe('a signal has come to both', () => {
  it.each([
    ['SIGINT', front, front, true],
    ['SIGWINCH', front, front, true],
    ['SIGTSTP', front, front, true],
    // Whoever sends this one means one process.
    ['SIGTERM', front, front, false],
    ['SIGUSR1', front, front, false],
    // The other one is a job of its own.
    ['SIGINT', front, { ...front, group: 11 }, false],
    // No terminal sent it, or not to us.
    ['SIGINT', service, service, false],
    ['SIGINT', back, back, false],
    // `fg` wakes both; somebody who wakes us alone means both.
    ['SIGCONT', front, front, true],
    ['SIGCONT', front, { ...front, state: 'T' }, false],
    ['SIGINT', undefined, front, false],
  ] as const)('%s from a terminal to one group: %#', (signal, own, other, both) => {
    expect(sharedSignal(signal, own, other)).toBe(both);
  });
});
