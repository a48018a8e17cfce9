import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { obstacle, program, Target } from '../testing/target.ts';
import { createHost } from './linux-host.ts';

const targets: Target[] = [];

function start(name: string, ...args: readonly (string | number)[]): Target {
  const target = new Target([program(name), ...args.map(String)]);
  targets.push(target);
  return target;
}

afterEach(() => {
  for (const target of targets.splice(0)) target.end();
});

describe.skipIf(obstacle() !== undefined)('the host', () => {
  const host = createHost([]);

  test('tells what the machine is', () => {
    const system = host.system();
    expect(system.uts.release).toBe(execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim());
    expect(system.bootId).toHaveLength(16);
    expect(system.cpu.xfeatures & 3n).toBe(3n);
    expect(system.cpu.xstateSize).toBeGreaterThanOrEqual(576);
    const layout = system.cpu.xstateLayout ?? [];
    if ((system.cpu.xfeatures & 4n) !== 0n) {
      expect(layout[0]).toEqual({ feature: 2, offset: 576, size: 256 });
    }
    const ends = layout.map(({ offset, size }) => offset + size);
    expect(Math.max(576, ...ends)).toBeLessThanOrEqual(system.cpu.xstateSize);
    expect(system.vdsoHash).toBeGreaterThan(0);
    expect(system.vdsoSize % 4096).toBe(0);
    expect(system.choosesPids).toBe(true);
    expect(system.self?.namespaces.pid).toMatch(/^pid:\[\d+\]$/);
    expect(host.system().vdsoHash).toBe(system.vdsoHash);
  });

  test('tells who has a pid: process, thread, group or session', () => {
    const threads = start('threads', 100_000_000);
    threads.until('threads', () => threads.threads().length === 8);
    const name = threads.status('Name') ?? '';
    const tid = threads.threads().find((id) => id !== threads.pid) ?? 0;
    expect(host.holder(threads.pid)).toBe(`${threads.pid} (${name})`);
    expect(host.holder(tid)).toBe(`a thread (${name}) of process ${threads.pid}`);
    expect(host.holder(4_194_304)).toBeUndefined();
    const asked = [threads.pid, 4_194_304, tid];
    const told = asked.map((pid) => [pid, host.holder(pid)] as const);
    const held = told.filter(([, holder]) => holder !== undefined);
    expect([...(host.holders?.(asked) ?? [])]).toEqual(held);
  });
});
