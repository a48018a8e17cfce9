import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { CkptError } from '@ckpt/format';
import { Memory } from './memory.ts';
import { ptraceEvents, Tracer } from './ptrace.ts';
import { getRegister, getSigned, registersSize, withRegisters } from './registers.ts';
import { writeForced } from './tracee.ts';

let pid = 0;

/** Not a child of this process: libuv would wait for it, and take its stops. */
function sleeper(): number {
  const { stdout } = spawnSync('sh', ['-c', 'sleep 100 >/dev/null 2>&1 & echo $!'], {
    encoding: 'utf8',
  });
  pid = Number(stdout);
  while (!/^(35|230) /.test(readFileSync(`/proc/${pid}/syscall`, 'latin1'))) spawnSync('true');
  return pid;
}

afterEach(() => {
  if (pid !== 0) process.kill(pid, 'SIGKILL');
  pid = 0;
});

test('a seized thread shows its registers, mask and memory, and goes on', () => {
  const points: string[] = [];
  const tracer = new Tracer((point) => points.push(point));
  const tid = sleeper();
  tracer.seize(tid);
  tracer.interrupt(tid);
  expect(tracer.waitUntil(tid, performance.now() + 1000)).toMatchObject({
    kind: 'stopped',
    event: ptraceEvents.STOP,
  });
  const registers = tracer.getRegisters(tid);
  expect(registers).toHaveLength(registersSize);
  expect([35n, 230n]).toContain(getRegister(registers, 'orig_rax'));
  expect(getSigned(registers, 'rax')).toBe(-516n);
  const mask = tracer.getSignalMask(tid);
  tracer.setSignalMask(tid, 0x1230_0000n);
  expect(tracer.getSignalMask(tid)).toBe(0x1230_0000n);
  tracer.setSignalMask(tid, mask);
  tracer.setRegisters(tid, withRegisters(registers, { r15: -2 }));
  expect(getSigned(tracer.getRegisters(tid), 'r15')).toBe(-2n);
  tracer.setRegisters(tid, registers);
  expect(Buffer.from(tracer.getXstate(tid)).readBigUInt64LE(464) & 3n).toBe(3n);
  process.kill(tid, 'SIGUSR1');
  expect(tracer.peekSiginfo(tid, true)).toHaveLength(1);
  expect(tracer.peekSiginfo(tid, false)).toHaveLength(0);
  expect(tracer.hasSyscallUserDispatch(tid)).toBe(false);
  const memory = new Memory(tid);
  const code = memory.read(getRegister(registers, 'rip') - 2n, 2);
  expect(code.toString('hex')).toBe('0f05');
  expect(() => memory.read(8n, 4)).toThrow(/EFAULT/);
  // Through a mapping that is only readable, with and without /proc/PID/mem.
  const rip = getRegister(registers, 'rip') & ~7n;
  const before = memory.read(rip, 16);
  const noForce = {
    write: (): void => {
      throw new CkptError('EFAULT', 'not here');
    },
  };
  for (const writer of [memory, noForce]) {
    writeForced(tracer, writer, tid, rip, Buffer.alloc(16, 0x90));
    expect(memory.read(rip, 16)).toEqual(Buffer.alloc(16, 0x90));
    writeForced(tracer, writer, tid, rip, before);
    expect(memory.read(rip, 16)).toEqual(before);
  }
  memory.close();
  expect(points).toContain('ptrace SEIZE');
  tracer.detach(tid);
});

test('a thread that is not there is said with its errno', () => {
  expect(() => {
    new Tracer().seize(2 ** 22 + 1);
  }).toThrow(/ESRCH/);
});
