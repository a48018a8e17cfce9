import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { descriptors, Lab } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

/** Lines of a counter's file as numbers; it must have said nothing else. */
function counted(path: string): number[] {
  const text = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  return text === '' ? [] : text.split('\n').map(Number);
}

async function until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error('it never came true');
    await delay(10);
  }
}

describe('a program that counts in memory, in a file and in an AVX register', () => {
  test('goes on where it was, with the same pid', async () => {
    const file = lab.path('count.txt');
    const counter = lab.start(lab.compile('counter'), [file]);
    await until(() => counted(file).length > 20);
    const before = readlinkSync(`/proc/${String(counter.pid)}/exe`);
    await lab.cycle(counter);
    const atRestart = counted(file).length;
    await until(() => counted(file).length > atRestart + 20);
    const lines = counted(file);
    expect(lines).toEqual(lines.map((_, index) => index + 1));
    expect(readlinkSync(`/proc/${String(counter.pid)}/exe`)).toBe(before);
    expect(descriptors(counter.pid)).toEqual([0, 1, 2, 3]);
    counter.kill();
  });

  test('is not disturbed by twenty checkpoints in a row', { timeout: 180_000 }, async () => {
    const file = lab.path('twenty.txt');
    const counter = lab.start(lab.compile('counter'), [file]);
    await until(() => counted(file).length > 5);
    const facts = () => ({
      maps: readFileSync(`/proc/${String(counter.pid)}/maps`, 'utf8'),
      descriptors: descriptors(counter.pid),
      mask: counter.status('SigBlk'),
      caught: counter.status('SigCgt'),
      threads: counter.status('Threads'),
      tracer: counter.status('TracerPid'),
    });
    const before = facts();
    const sizes: number[] = [];
    for (let round = 0; round < 20; round++) {
      lab.good('checkpoint', '--force', '-o', 'twenty.ckpt', String(counter.pid));
      sizes.push(readFileSync(lab.path('twenty.ckpt')).length);
      expect(counter.state()).not.toBe('T');
    }
    expect(facts()).toEqual(before);
    expect((sizes.at(-1) ?? 0) - (sizes[1] ?? 0)).toBeLessThanOrEqual(8192);
    const reached = counted(file).length;
    await until(() => counted(file).length > reached + 5);
    const lines = counted(file);
    expect(lines).toEqual(lines.map((_, index) => index + 1));
    counter.kill();
  });

  test('stays stopped when SIGSTOP had stopped it', async () => {
    const file = lab.path('stopped.txt');
    const counter = lab.start(lab.compile('counter'), [file]);
    await until(() => counted(file).length > 5);
    counter.kill('SIGSTOP');
    await until(() => counter.state() === 'T');
    lab.good('checkpoint', '--force', '-o', 'stopped.ckpt', String(counter.pid));
    await until(() => counter.state() === 'T');
    await lab.cycle(counter);
    await until(() => counter.state() === 'T');
    const length = counted(file).length;
    await delay(100);
    expect(counted(file)).toHaveLength(length);
    counter.kill('SIGCONT');
    await until(() => counted(file).length > length + 5);
    const lines = counted(file);
    expect(lines).toEqual(lines.map((_, index) => index + 1));
    counter.kill();
  });
});

describe('a long system call', () => {
  test('a read of an empty pipe waits on, and a signal interrupts it', async () => {
    const reader = lab.start(lab.compile('sleeper'), ['read', '0']);
    await reader.saw(/begin/);
    await delay(100);
    await lab.cycle(reader);
    await delay(200);
    expect(reader.state()).toBe('S');
    expect(reader.text()).not.toContain('end');
    reader.kill('SIGTERM');
    await reader.gone();
  });
});

describe('threads with mutexes and condition variables', () => {
  test.each([3, 16])('%i of them pass their token on after a restart', async (count) => {
    const program = lab.start(lab.compile('threads'), [String(count)]);
    await program.saw(/round 200/);
    const before = program.status('Threads');
    await lab.cycle(program);
    expect(program.status('Threads')).toBe(before);
    const seen = program.text().length;
    await program.saw(/round \d+\n(.*\n)*round \d+/, seen);
    program.kill('SIGTERM');
    await program.saw(/done \d+ of \d+/, seen);
    await program.gone();
    expect(program.text()).not.toContain('BAD');
  });
});

describe('signals', () => {
  test('dispositions, alternate stack, timer, pending signals and masks survive', async () => {
    const program = lab.start(lab.compile('signals'));
    await program.saw(/ready/);
    program.kill('SIGUSR1');
    await program.saw(/usr1 1 altstack 1/);
    program.kill('SIGUSR2');
    program.kill('SIGUSR2');
    for (let value = 0; value < 3; value++) program.kill(34 + 3);
    await delay(50);
    await lab.cycle(program);
    const from = program.text().length;
    await program.saw(/ticks/, from);
    program.kill('SIGUSR1');
    await program.saw(/usr1 2 altstack 1/, from);
    program.kill('SIGHUP');
    await program.saw(/pending usr2 1 rt 1/, from);
    await program.saw(/taken usr2 1 rt 3/, from);
    program.kill('SIGTERM');
    await program.saw(/bye trap 1/, from);
    await program.gone();
  });

  test('the exit status comes through `ckpt restart`', async () => {
    const program = lab.start(lab.compile('signals'));
    await program.saw(/ready/);
    lab.good('checkpoint', '--kill', '--force', '-o', 'status.ckpt', String(program.pid));
    await program.gone();
    const restart = lab.background('restart', 'status.ckpt');
    const status = new Promise<number | null>((resolve) => restart.once('exit', resolve));
    await until(() => program.alive());
    await delay(300);
    restart.kill('SIGTERM'); // passed on
    expect(await status).toBe(7);
    await program.saw(/bye/);
  });
});

describe('memory', () => {
  test('every byte comes back, and reserves cost nothing', async () => {
    const program = lab.start(lab.compile('memory'), ['192']);
    const [, sum] = await program.saw(/ready ([0-9a-f]+)/);
    await lab.cycle(program, 'cycle.ckpt');
    program.kill('SIGUSR1');
    const [, again] = await program.saw(/sum ([0-9a-f]+)/);
    expect(again).toBe(sum);
    const size = readFileSync(lab.path('cycle.ckpt')).length;
    expect(size).toBeLessThan(200 * 2 ** 20);
    program.kill();
  });
});
