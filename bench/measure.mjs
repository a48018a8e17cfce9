import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** The middle one. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Milliseconds of one call. */
export function timed(work) {
  const begin = performance.now();
  const value = work();
  return { ms: performance.now() - begin, value };
}

/**
 * Medians of several things done in turn, so that a machine whose speed drifts is fair to all.
 * `cases`: name to function that returns milliseconds.
 */
export function inTurn(rounds, cases) {
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, work] of Object.entries(cases)) {
      const ms = work();
      if (round >= 0) times[name].push(ms);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
}

export function row(name, figures) {
  const cells = Object.entries(figures).map(([key, value]) => `${key} ${value}`);
  console.log(`${name.padEnd(44)} ${cells.join('   ')}`);
}

export const ms = (value) => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
export const ratio = (value, aim) => `${value.toFixed(2)} (aim ${aim})`;

/** A process that is nobody's child here: ptrace(2) and Node would wait for it both. */
export function start(command, args) {
  const job = '"$@" < /dev/null > /dev/null 2>&1 & echo $!';
  const { stdout } = spawnSync('setsid', ['sh', '-c', job, 'sh', command, ...args], {
    encoding: 'utf8',
  });
  return Number(stdout.trim());
}

export function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

export function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
  for (let n = 0; n < 1000; n++) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      if (stat.slice(stat.lastIndexOf(')') + 2)[0] === 'Z') return;
    } catch {
      return;
    }
    sleep(1);
  }
}

/** Resident memory of a process, MiB. */
export function residentMiB(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}
