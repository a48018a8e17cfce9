import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
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

/** Reads a file into memory that was never touched: what any restart has to do. Milliseconds. */
export function plainRead(path, length) {
  return timed(() => {
    const fd = openSync(path, 'r');
    const into = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;)
      done += readSync(fd, into, done, Math.min(16 << 20, length - done), null);
    closeSync(fd);
  }).ms;
}

export function row(name, figures) {
  const cells = Object.entries(figures).map(([key, value]) => `${key} ${value}`);
  console.log(`${name.padEnd(44)} ${cells.join('   ')}`);
}

export const ms = (value) => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
export const ratio = (value, aim) => `${value.toFixed(2)} (aim ${aim})`;

/** open(2), as /proc/self/fdinfo has it. */
const O_CLOEXEC = 0o2000000;

/** What whoever started the bench left open would be in the targets too: somebody's pipe cannot be carried. */
function closeInherited() {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd <= 2) continue;
    try {
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'));
      if ((Number.parseInt(flags?.[1] ?? '', 8) & O_CLOEXEC) === 0) closeSync(fd);
    } catch {
      // That of the listing itself.
    }
  }
}

closeInherited();

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

/** Ends a process, and waits until its pid is free: init may take a moment to notice. */
export async function end(pid, running) {
  kill(pid);
  await running?.wait();
  while (existsSync(`/proc/${pid}`)) sleep(5);
}

/** A Node process with so many MiB of memory that it wrote to, all different. */
export function touched(mib) {
  const text = `globalThis.b = Buffer.allocUnsafeSlow(${mib} * 2 ** 20);
    for (let i = 0; i < b.length; i += 8) b.writeUInt32LE(i, i);
    process.title = 'touched';
    setInterval(() => b.writeUInt32LE(b.readUInt32LE(64) + 1, 64), 50)`;
  const pid = start(process.execPath, ['-e', text]);
  for (let n = 0; n < 600; n++) {
    if (readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === 'touched') return pid;
    sleep(100);
  }
  throw new Error(`process ${pid} did not come to touch ${mib} MiB`);
}
