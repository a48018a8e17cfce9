import { encodeText } from '@ckpt/io';
import { describe, expect, it } from 'vitest';
import { checkPlan } from './plan-check.ts';
import { base64, planToJson } from './plan-json.ts';
import { planToText } from './plan-text.ts';
import type { Plan, Step } from './plan.ts';
import { caught } from './testing/caught.ts';

const from = { position: 16, path: 'toy' };
const at = { on: 1, from } as const;
const call = (id: string, args: Extract<Step, { op: 'call' }>['args'], more = {}): Step => ({
  ...{ op: 'call', id, call: 'close', args, failure: 'fatal', what: 'close' },
  ...at,
  ...more,
});
const spawn: Step = { op: 'spawn', id: 'spawn', kind: 'process', pid: 1, ...at };
const load = (id: string, index: number, address: bigint, length = 4096): Step => ({
  ...{ op: 'load', id, index, length, to: { address } },
  ...at,
});
const meet: Step = { op: 'meet', id: 'meet', barrier: 'ready', parties: [1], ...at };
const resume: Step = {
  ...{ op: 'resume', id: 'resume', registers: new Uint8Array(216), xstate: new Uint8Array(0) },
  ...{ signalMask: 0n, words: [], pending: [], pendingShared: [], stopped: false },
  ...at,
};

const die: Step = { op: 'die', id: 'die', status: 0x700, pendingShared: [], ...at };
const second: Step = { op: 'spawn', id: 'second', kind: 'thread', pid: 2, ...at };
const both: Step = { ...meet, id: 'both', parties: [1, 2] };

const planOf = (...steps: readonly Step[]): Plan => ({
  ...{ pid: 1, store: { pages: 4, pageSize: 4096 }, notes: ['a note'] },
  steps: [spawn, ...steps, meet, resume],
});

describe('a plan', () => {
  it('is right', () => {
    const room = { room: 'ends', size: 8 };
    const plan = planOf(
      call('a', [room, 0]),
      call('b', [{ result: 'a' }, { word: 'ends', index: 1 }]),
      call('c', [room], { expectRoom: { room: 'ends', offset: 0, bytes: new Uint8Array(8) } }),
      load('d', 0, 0x10000n),
      load('e', 1, 0x20000n, 8192),
    );
    expect(() => {
      checkPlan(plan);
    }).not.toThrow();
  });

  it.each<[string, readonly Step[]]>([
    ['no earlier step', [call('a', [{ result: 'b' }]), call('b', [])]],
    ['no earlier step', [call('a', [{ result: 'a' }])]],
    ['another step', [call('a', []), call('a', [])]],
    ['no room', [call('a', [{ word: 'ends', index: 0 }])]],
    [
      'word 2',
      [
        call('a', [
          { room: 'ends', size: 8 },
          { word: 'ends', index: 2 },
        ]),
      ],
    ],
    ['has 8 bytes', [call('a', [{ room: 'r', size: 8 }]), call('b', [{ room: 'r', size: 9 }])]],
    ['7 arguments', [call('a', [0, 0, 0, 0, 0, 0, 0])]],
    ['no argument', [call('a', [0.5])]],
    [
      'a pointer',
      [call('a', [{ blob: new Uint8Array(8), pointers: [{ offset: 1, to: new Uint8Array(1) }] }])],
    ],
    ['no thread 2', [call('a', [], { on: 2 })]],
    ['a store of 4', [load('a', 4, 0x10000n)]],
    ['a store of 4', [load('a', 3, 0x10000n, 4097)]],
    ['go upwards', [load('a', 1, 0x10000n), load('b', 0, 0x20000n)]],
    ['fills what', [load('a', 0, 0x10000n, 8192), load('b', 2, 0x11000n)]],
    ['no user memory', [load('a', 0, 0x10001n)]],
    ['no user memory', [load('a', 0, (1n << 47n) - 4096n, 8192)]],
    [
      'a second wipe',
      ['a', 'b'].map((id) => ({
        op: 'wipe',
        id,
        hole: { address: 0x100000n, length: 4096 },
        ...at,
      })),
    ],
    [
      'the executor',
      [
        { op: 'wipe', id: 'a', hole: { address: 0x10000n, length: 65536 }, ...at },
        load('b', 0, 0x12000n),
      ],
    ],
    ['made twice', [{ op: 'spawn', id: 'a', kind: 'thread', pid: 1, ...at }]],
    ['the first step', [{ op: 'spawn', id: 'a', kind: 'process', pid: 2, ...at }]],
    ['never lets it go', [{ op: 'spawn', id: 'a', kind: 'thread', pid: 2, ...at }]],
    [
      'not at the last barrier',
      [{ op: 'meet', id: 'a', barrier: 'x', parties: [], ...at }, { ...resume, id: 'r' }, meet],
    ],
  ])('is refused: %s', (sentence, steps) => {
    const error = caught(() => {
      checkPlan(planOf(...steps));
    });
    expect(error.code).toBe('EINVAL');
    expect(error.sentence).toContain(sentence);
  });

  it('may let the leader end, if another thread goes', () => {
    const other: Step = { ...resume, on: 2 };
    const end = (...steps: readonly Step[]) => ({ ...planOf(), steps: [spawn, second, ...steps] });
    const plan = end(both, die, other);
    checkPlan(plan);
    expect(planToText(plan)).toContain('1 ends with status 7\n');
    const refused: readonly (readonly [string, Plan])[] = [
      ['lets no thread go', end(both, die, { ...die, id: 'b', on: 2 })],
      ['has ended', end(both, die, resume, other)],
      ['after a resume', end(both, other, die)],
      ['not at the last barrier', end(die, both, other)],
      ['status 9', end(both, { ...die, status: 9 }, other)],
      ['a siginfo', end(both, { ...die, pendingShared: [new Uint8Array(3)] }, other)],
    ];
    for (const [sentence, wrong] of refused) {
      const error = caught(() => {
        checkPlan(wrong);
      });
      expect(error.code).toBe('EINVAL');
      expect(error.sentence).toContain(sentence);
    }
  });

  it('becomes JSON', () => {
    const plan = planOf(call('a', [1n << 60n, { blob: Uint8Array.of(1, 2, 3, 4) }]));
    const json = JSON.parse(JSON.stringify(planToJson(plan))) as { steps: { args: unknown[] }[] };
    expect(json.steps[1]?.args).toEqual(['1152921504606846976', { blob: { base64: 'AQIDBA==' } }]);
  });

  it('becomes text, a line each step', () => {
    const name = { blob: Uint8Array.of(0x68, 0x1b, 0) };
    const path = { blob: encodeText('/a\u00e9\u202e\\') };
    const plan = planOf(
      call('a', [name, 0x1000n, { result: 'spawn' }]),
      call('b', [-100, path, 0o2400000], { call: 'openat', failure: 'warn' }),
      call('c', [{ result: 'b' }, 1], { expect: 17, call: 'fcntl', on: 2 }),
      load('d', 0, 0x10000n),
    );
    expect(planToText({ ...plan, notes: ['a\n'] }).split('\n')).toEqual([
      'pid 1, 7 steps, 4 pages of 4096 bytes',
      '',
      'toy',
      '  make process 1',
      '  close({68 1b 00}, 0x1000, <spawn>)',
      String.raw`  r1 = openat(AT_FDCWD, "/aé\u{202e}\\", O_NOFOLLOW|O_CLOEXEC), or warn`,
      '',
      'toy, by thread 2',
      '  fcntl(r1, 1) == 17',
      '',
      'toy',
      '  load 4096 bytes from page 0 to 0x10000',
      '  all meet (ready): 1',
      '  1 goes',
      '',
      String.raw`note: a\n`,
      '',
    ]);
  });

  it('writes base64 as others do', () => {
    for (let length = 0; length < 10; length++) {
      const bytes = Uint8Array.from({ length }, (_, index) => index * 29);
      expect(base64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
    }
  });
});
