import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { isDying } from '../../packages/linux/src/testing/process-facts.ts';
import { endEcho, filtersOf, goesOn, startEcho } from './echo.ts';
import type { Lab } from './lab.ts';
import { countPoints, isFree, killedAt, spread } from './sweep.ts';

/** So many points before its end a checkpoint that kills has not yet begun to do so. */
const killPoints = 30;

/** The deputy of a checkpoint of that process: its descriptor 3 is a pidfd of it. */
const deputies = (pid: number): string[] =>
  readdirSync('/proc').filter((name) => {
    try {
      const isOurs = readFileSync(`/proc/${name}/cmdline`, 'latin1') === 'ckpt\0';
      const about = isOurs ? readFileSync(`/proc/${name}/fdinfo/3`, 'latin1') : '';
      return new RegExp(`^Pid:\\s${String(pid)}$`, 'm').test(about);
    } catch {
      return false;
    }
  });

/** A connection in full flow is not harmed, whichever point of a checkpoint was the last. */
export async function connectionOutlives(lab: Lab, mostPoints: number): Promise<void> {
  const echo = await startEcho(lab, 4, '127.0.0.1');
  const { server, client } = echo;
  const points = countPoints(lab, server);
  for (const n of spread(points, mostPoints)) {
    killedAt(lab, server, n, 'killed.ckpt');
    await isFree(server);
    await goesOn(client);
    expect(filtersOf(server.pid)).toEqual([]);
  }
  await endEcho(echo, 4);
}

/**
 * Of a checkpoint that is to kill, at points around the kill: either the process goes on and so does
 * its connection, or it is dead, its image is whole, and the connection waits for it.
 */
export async function connectionIsKept(lab: Lab, every: number): Promise<void> {
  const echo = await startEcho(lab, 4, '127.0.0.1');
  const { server, client } = echo;
  const outcomes = new Set<'alive' | 'dead'>();
  const killed = async (n: number): Promise<string> => {
    const { stdout } = killedAt(lab, server, n, 'kept.ckpt', 'kill');
    // What was begun by then is brought to its end by somebody who is not killed.
    while (deputies(server.pid).length > 0) await delay(5);
    while (server.alive() && isDying(server.pid)) await delay(5);
    if (server.alive()) await isFree(server);
    outcomes.add(server.alive() ? 'alive' : 'dead');
    if (!server.alive()) {
      await server.gone();
      server.restarted();
      lab.good('restart', '--detach', 'kept.ckpt');
    }
    await goesOn(client);
    expect(filtersOf(server.pid)).toEqual([]);
    return stdout;
  };
  // Long before the kill, first.
  await killed(1);
  const points = Number(await killed(0));
  for (let n = points - killPoints; n <= points; n += every) await killed(n);
  expect(outcomes.size).toBe(2);
  await endEcho(echo, 4);
}
