import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { codeAddress, freePid, HandPlan, registersAt } from '../testing/hand-plan.ts';
import { runPlan } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'ckpt-run-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/**
 * mov eax,1; mov edi,1; lea rsi,[rip+msg]; mov edx,6; syscall; mov eax,231; mov edi,7; syscall;
 * msg: "hello\n"
 */
const hello =
  'b801000000bf01000000488d3513000000ba060000000f05b8e7000000bf070000000f0568656c6c6f0a';

test('a process made from nothing has the wanted pid, runs, and is waited for', async () => {
  const output = join(folder, 'hello');
  const hand = new HandPlan(freePid());
  hand.code(hello);
  hand.output(output);
  hand.resume({ registers: registersAt(codeAddress) });
  const pages = hand.pages();
  const running = runPlan(hand.plan(), pages);
  expect(running).toMatchObject({ pid: hand.pid, warnings: [] });
  expect(pages.finished).toBe(true);
  expect(await running.wait()).toBe(7 << 8);
  expect(await running.wait()).toBe(7 << 8);
  expect(readFileSync(output, 'utf8')).toBe('hello\n');
});

test('pages come from a file through the new process’s own descriptor', async () => {
  const output = join(folder, 'file-output');
  const image = join(folder, 'image');
  const hand = new HandPlan(freePid());
  hand.code(hello);
  hand.output(output);
  hand.resume({ registers: registersAt(codeAddress) });
  writeFileSync(image, hand.image());
  const fd = openSync(image, 'r');
  try {
    const running = runPlan(hand.plan(), hand.pagesOf(fd), { imageFd: fd });
    expect(await running.wait()).toBe(7 << 8);
  } finally {
    closeSync(fd);
  }
  expect(readFileSync(output, 'utf8')).toBe('hello\n');
});
