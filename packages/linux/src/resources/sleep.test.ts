import { Cpu, RestartBlock, restartBlocks } from '@ckpt/format';
import { expect, test } from 'vitest';
import { made, restoreScope } from '../testing/fake-scope.ts';
import { cpuOf } from './cpu.ts';
import { resumeCall } from './sleep-resume.ts';
import { restartBlockOf, unknownTime, type ReadMemory } from './sleep.ts';

const tid = 4242;
const word = (value: bigint | number): bigint => BigInt.asUintN(64, BigInt(value));
const cpu = (registers: Partial<Cpu>): Cpu => ({
  ...cpuOf(tid, new Uint8Array(216)),
  rax: word(-516),
  rip: 0x401000n,
  ...registers,
});

const timespec = (seconds: number, nanoseconds: number): Uint8Array => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(seconds), true);
  new DataView(bytes.buffer).setBigInt64(8, BigInt(nanoseconds), true);
  return bytes;
};

/** Memory with bytes at some addresses, and nothing elsewhere. */
const memory =
  (places: Readonly<Record<number, Uint8Array>>): ReadMemory =>
  (address, length) =>
    places[Number(address)]?.subarray(0, length);

const request = 0x7000_0000;
const rest = 0x7000_0100;
const futex = 0x7000_0200;
const times = { [request]: timespec(10, 0), [rest]: timespec(3, 500) };
const nothing = memory({});

/** mov $number, %eax; syscall */
const inlined = (number: number): Uint8Array => Uint8Array.of(0xb8, number, 0, 0, 0, 0x0f, 0x05);

test('a thread that is in no sleep has no restart block', () => {
  expect(restartBlockOf(cpu({ rax: word(-514) }), nothing)).toBeUndefined();
  expect(restartBlockOf(cpu({ rax: 5n }), nothing)).toBeUndefined();
});

test('what is left of a sleep stands where the program wants it', () => {
  const nanosleep = cpu({ orig_rax: 35n, rdi: BigInt(request), rsi: BigInt(rest) });
  expect(restartBlockOf(nanosleep, memory(times))).toMatchObject({
    kind: restartBlocks.nanosleep,
    remaining: 3_000_000_500n,
    remaining_pointer: BigInt(rest),
  });
  const clock = { rdi: word(0xffff_fffan), rsi: 0n, rdx: BigInt(request), r10: BigInt(rest) };
  expect(restartBlockOf(cpu({ orig_rax: 230n, ...clock }), memory(times))).toMatchObject({
    kind: restartBlocks.clock_nanosleep,
    clock: -6,
    remaining: 3_000_000_500n,
  });
});

test.for([
  ['no pointer', 0n, times],
  ['a pointer to nothing', 0x6000_0000n, times],
  ['no time', BigInt(rest), { [rest]: timespec(1, 2_000_000_000) }],
] as const)('a sleep with %s has an unknown rest', ([, rsi, places]) => {
  const block = restartBlockOf(cpu({ orig_rax: 35n, rdi: 1n, rsi }), memory(places));
  expect(block?.remaining).toBe(unknownTime);
});

test.for([
  ['poll', { orig_rax: 7n, rdx: 2000n }, 1_500_000_000n],
  ['poll that is over', { orig_rax: 7n, rdx: 100n }, 0n],
  ['poll without limit', { orig_rax: 7n, rdx: 0xffff_ffffn }, unknownTime],
  ['nanosleep', { orig_rax: 35n, rdi: BigInt(request) }, 9_500_000_000n],
  ['clock_nanosleep', { orig_rax: 230n, rdx: BigInt(request) }, 9_500_000_000n],
  ['sleep until a time', { orig_rax: 230n, rsi: 1n, rdx: BigInt(request) }, unknownTime],
  ['futex', { orig_rax: 202n, rsi: 0x80n, r10: BigInt(request) }, 9_500_000_000n],
  ['futex until a time', { orig_rax: 202n, rsi: 0x189n, r10: BigInt(request) }, unknownTime],
] as const)('what is left of a %s follows from how long it has waited', ([, registers, left]) => {
  expect(restartBlockOf(cpu(registers), memory(times), 500_000_000n)?.remaining).toBe(left);
  expect(restartBlockOf(cpu(registers), memory(times))?.remaining).toBe(unknownTime);
});

test.for([
  ['poll', 7, restartBlocks.poll],
  ['nanosleep', 35, restartBlocks.nanosleep],
  ['futex', 202, restartBlocks.futex],
  ['clock_nanosleep', 230, restartBlocks.clock_nanosleep],
] as const)('a %s that was restarted before is known by its instruction', ([, number, kind]) => {
  const restarted = cpu({ orig_rax: 219n });
  const read = memory({ 0x400ff9: inlined(number) });
  expect(restartBlockOf(restarted, read)?.kind).toBe(kind);
});

test.for([
  ['poll', { rdi: BigInt(request), rsi: 3n, rdx: 1000n }, restartBlocks.poll],
  ['poll of nothing', { rdi: 0n, rsi: 0n, rdx: 1000n }, restartBlocks.poll],
  ['nanosleep', { rdi: BigInt(request), rsi: 0n }, restartBlocks.nanosleep],
  ['nanosleep', { rdi: BigInt(request), rsi: BigInt(rest) }, restartBlocks.nanosleep],
  ['clock_nanosleep', { rdi: 1n, rsi: 0n, rdx: BigInt(request) }, restartBlocks.clock_nanosleep],
  ['futex', { rdi: BigInt(futex), rsi: 0x80n, r10: BigInt(request) }, restartBlocks.futex],
  ['futex', { rdi: BigInt(futex), rsi: 0x189n, r10: BigInt(request) }, restartBlocks.futex],
  ['nothing known', { rdi: 5n, rsi: 0x9000_0000n }, restartBlocks.none],
] as const)('a %s that was restarted before is known by its arguments', ([, registers, kind]) => {
  const block = restartBlockOf(cpu({ orig_rax: 219n, ...registers }), memory(times));
  expect(block?.kind).toBe(kind);
});

function resumed(registers: Partial<Cpu>, block?: Partial<RestartBlock>) {
  const value = { tid, kind: 0, clock: 0, _pad: 0, remaining: 0n, remaining_pointer: 0n };
  const scope = restoreScope([made(RestartBlock, { ...value, ...block })]);
  const [record] = scope.document.all(RestartBlock);
  const { cpu: after, sleep } = resumeCall(scope, cpu(registers), record);
  const { rax, orig_rax } = after;
  return { rax: BigInt.asIntN(64, rax), orig_rax, sleep, notes: scope.notes };
}

const sleeping = { kind: restartBlocks.nanosleep, remaining_pointer: BigInt(rest) };

test('a sleep with a known rest is slept on', () => {
  const { rax, sleep } = resumed({ orig_rax: 219n }, { ...sleeping, remaining: 2_000_000_007n });
  expect(rax).toBe(-516n);
  expect(sleep).toEqual({
    call: 'nanosleep',
    args: [{ blob: timespec(2, 7) }, BigInt(rest)],
  });
});

test('a sleep by a clock is slept on by that clock', () => {
  const block = { ...sleeping, kind: restartBlocks.clock_nanosleep, clock: 7, remaining: 5n };
  expect(resumed({ orig_rax: 230n }, block).sleep).toEqual({
    call: 'clock_nanosleep',
    args: [7, 0, { blob: timespec(0, 5) }, BigInt(rest)],
  });
});

test('a poll and a futex wait on for the rest', () => {
  const args = { rdi: 1n, rsi: 2n, rdx: 3n, r8: 4n, r9: 5n };
  const poll = { kind: restartBlocks.poll, remaining: 5_000_001n };
  expect(resumed({ orig_rax: 7n, ...args }, poll).sleep).toEqual({
    call: 'poll',
    args: [1n, 2n, 6n],
  });
  const futexWait = { kind: restartBlocks.futex, remaining: 3_000_000_001n };
  expect(resumed({ orig_rax: 219n, ...args }, futexWait).sleep).toEqual({
    call: 'futex',
    args: [1n, 2n, 3n, { blob: timespec(3, 1) }, 4n, 5n],
  });
});

test('a sleep that is over has returned', () => {
  const { rax, sleep } = resumed({ orig_rax: 35n }, { ...sleeping, remaining: 0n });
  expect([rax, sleep]).toEqual([0n, undefined]);
});

test.for([
  [restartBlocks.nanosleep, 35n],
  [restartBlocks.clock_nanosleep, 230n],
  [restartBlocks.poll, 7n],
  [restartBlocks.futex, 202n],
] as const)('a call of kind %s without a known rest is made again', ([kind, number]) => {
  const { rax, orig_rax } = resumed({ orig_rax: 219n }, { kind, remaining: unknownTime });
  expect([rax, orig_rax]).toEqual([-514n, number]);
});

test('a call that nobody knows ends with EINTR, which is said', () => {
  const { rax, notes } = resumed({ orig_rax: 219n }, { kind: restartBlocks.none });
  expect(rax).toBe(-4n);
  expect(notes.length).toBe(1);
});

test.for([
  ['epoll_pwait', 281n, -514n],
  ['rt_sigtimedwait', 128n, -514n],
  ['close', 3n, -4n],
  ['no call', word(-1), -4n],
] as const)('EINTR of %s, which the stop itself may have made', ([, number, result]) => {
  expect(resumed({ rax: word(-4), orig_rax: number }).rax).toBe(result);
});

test.for([-512n, -513n, -514n, -11n, 0n])('%d is left to the kernel', (result) => {
  expect(resumed({ rax: word(result), orig_rax: 0n }).rax).toBe(result);
});
