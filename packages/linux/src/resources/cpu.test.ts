import { Cpu } from '@ckpt/format';
import { expect, test } from 'vitest';
import { checkpointScope, made, restoreScope, thrown } from '../testing/fake-scope.ts';
import { checkRegisters, checkpointCpu, cpuOf, registersOf } from './cpu.ts';

/** struct user_regs_struct with its own number in each word. */
const registers = (): Uint8Array => {
  const bytes = new Uint8Array(216);
  for (let index = 0; index < 27; index++) bytes[index * 8] = index + 1;
  return bytes;
};

const plain = { cs: 0x33n, ss: 0x2bn, ds: 0n, es: 0n, fs: 0n, gs: 0n, eflags: 0x246n };
const cpu = (more: Partial<Cpu> = {}): Cpu => ({
  ...cpuOf(4242, registers()),
  ...plain,
  ...more,
});

test('registers are the words that ptrace gives, in their order', () => {
  const value = cpuOf(4242, registers());
  expect(value).toMatchObject({ tid: 4242, r15: 1n, rax: 11n, orig_rax: 16n, rip: 17n, gs: 27n });
  expect(registersOf(value)).toEqual(registers());
});

const image = (value: Cpu) => restoreScope([made(Cpu, value)]);

function recordOf(scope: ReturnType<typeof restoreScope>) {
  const [record] = scope.document.all(Cpu);
  if (record === undefined) throw new Error('no record');
  return record;
}

test('a program goes on with flags that are its own', () => {
  const value = checkRegisters(recordOf(image(cpu({ eflags: 0x4_0fd7n | 0x10000n | 0x100n }))));
  expect(value.eflags).toBe(0x5_0ed7n);
});

test.for([
  ['cs', { cs: 0x23n }],
  ['cs', { ss: 0n }],
  ['ds', { fs: 0x63n }],
  ['eflags', { eflags: 0x3246n }],
  ['eflags', { eflags: 0x2_0246n }],
  ['rip', { rip: 0xffff_8000_0000_0000n }],
  ['fs_base', { fs_base: 0x7fff_ffff_f000n }],
  ['gs_base', { gs_base: 1n << 63n }],
] as const)('registers whose %s no program has are refused', ([field, value]) => {
  const error = thrown(() => checkRegisters(recordOf(image(cpu(value)))));
  expect(error).toMatchObject({ code: 'EINVAL', field, position: 0x100, path: ['CPU'] });
});

test.for([
  ['32-bit code', { cs: 0x23n }, 'it runs 32-bit code'],
  ['segments', { gs: 0x63n }, 'it uses segments of its own (modify_ldt(2), set_thread_area(2))'],
] as const)('a thread with %s is refused', ([, value, reason]) => {
  const scope = checkpointScope();
  checkpointCpu(scope, { tid: 4242 }, cpu(value), new Uint8Array(832));
  expect(scope.obstacles).toMatchObject([{ thing: 'thread 4242', reason }]);
});
