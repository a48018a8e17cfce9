import { describe, expect, test } from 'vitest';
import { continuing, endsByAnyHandler, restarting, willRestart } from './interrupted.ts';
import { registersSize, withRegisters, type RegisterName } from './registers.ts';

const at = (changes: Partial<Record<RegisterName, number | bigint>>): Uint8Array =>
  withRegisters(new Uint8Array(registersSize), { rip: 0x1002, ...changes });

describe('a thread that was interrupted', () => {
  test('in a sleep goes on with restart_syscall, or with EINTR after a handler', () => {
    const sleeping = at({ rax: -516, orig_rax: 35 });
    expect(willRestart(sleeping)).toBe(true);
    expect(restarting(sleeping)).toEqual({ rax: 219n, rip: 0x1000n });
    expect(continuing(sleeping)).toEqual({ rax: -4n, rip: 0x1002n });
    expect(endsByAnyHandler(sleeping)).toBe(true);
  });

  test('in a read makes it again; whether a handler ends it depends on the handler', () => {
    const reading = at({ rax: -512, orig_rax: 0 });
    expect(restarting(reading)).toEqual({ rax: 0n, rip: 0x1000n });
    expect(endsByAnyHandler(reading)).toBe(false);
  });

  test('outside of a call keeps what is in rax', () => {
    const computing = at({ rax: -516, orig_rax: -1 });
    expect(willRestart(computing)).toBe(false);
    expect(continuing(computing)).toEqual({ rax: -516n, rip: 0x1002n });
    expect(endsByAnyHandler(computing)).toBe(false);
  });
});
