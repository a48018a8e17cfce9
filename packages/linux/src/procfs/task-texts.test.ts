import { encodeText } from '@ckpt/io';
import { expect, test } from 'vitest';
import { limitNames, parseLimits, unlimited } from './limits.ts';
import { parseStat } from './stat.ts';
import { parseCpuMask, parseStatus } from './status.ts';
import { parseTimers } from './timers.ts';

test('a stat line is read although its name holds blanks and parentheses', () => {
  const stat = parseStat(
    encodeText(
      '10297 (a) (b c) R 10294 10295 5280 34816 -1 4194304 97 0 0 0 0 0 0 0 20 -5 1 0 195097 ' +
        '3133440 414 18446744073709551615 94772885696512 94772885716393 140730098134624 0 0 0 0 0 ' +
        '0 0 0 0 17 1 7 2 0 0 0 94772885732400 94772885734016 94773018759168 140730098137828 ' +
        '140730098137848 140730098137848 140730098139115 0\n',
    ),
  );
  expect(stat).toMatchObject({
    pid: 10297,
    comm: 'a) (b c',
    state: 'R',
    ppid: 10294,
    pgid: 10295,
    sid: 5280,
    tty: 34816,
    nice: -5,
    exitSignal: 17,
    priority: 7,
    policy: 2,
  });
  expect(stat.mm).toMatchObject({
    startCode: 94772885696512n,
    startStack: 140730098134624n,
    startData: 94772885732400n,
    startBrk: 94773018759168n,
    envEnd: 140730098139115n,
  });
});

test('a status is read, and what it lacks is nothing', () => {
  const status = parseStatus(
    encodeText(
      'Name:\tcat\nUmask:\t0027\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t4 24 1000 \n' +
        'CapPrm:\t000001fffeffffff\nNoNewPrivs:\t1\nSeccomp:\t2\nCpus_allowed:\t1,80000003\n' +
        'x86_Thread_features:\tshstk wrss \n',
    ),
  );
  expect(status).toMatchObject({
    umask: 0o27,
    uid: { real: 1, effective: 2, saved: 3, fs: 4 },
    gid: { real: 5, effective: 6, saved: 7, fs: 8 },
    groups: [4, 24, 1000],
    noNewPrivs: 1,
    seccomp: 2,
    shadowStack: 'shstk wrss',
  });
  expect(status.capabilities).toMatchObject({ permitted: 0x1fffeffffffn, ambient: 0n });
  expect([...status.cpusAllowed]).toEqual([3, 0, 0, 0x80, 1, 0, 0, 0]);
  expect(parseStatus(new Uint8Array(0))).toMatchObject({ groups: [], seccomp: 0 });
});

test('a processor mask has its lowest word last', () => {
  expect([...parseCpuMask('f')]).toEqual([15, 0, 0, 0, 0, 0, 0, 0]);
  expect(parseCpuMask('1,00000000,00000000').length).toBe(16);
});

const lines = limitNames.map(
  ([name], index) =>
    `${`Max ${name}`.padEnd(26)}${(index === 1 ? 'unlimited' : String(index)).padEnd(21)}` +
    `${index === 13 ? '0'.padEnd(21) : 'unlimited'.padEnd(21)}${index < 13 ? 'bytes' : ''}`,
);

test('limits are read in the order of their numbers', () => {
  const text = `Limit                     Soft Limit\n${[...lines].reverse().join('\n')}\n`;
  const limits = parseLimits(encodeText(text));
  expect(limits?.length).toBe(16);
  expect(limits?.[1]).toEqual({ soft: unlimited, hard: unlimited });
  expect(limits?.[13]).toEqual({ soft: 13n, hard: 0n });
});

test('limits of which one is missing are none', () => {
  expect(parseLimits(encodeText(lines.slice(1).join('\n')))).toBeUndefined();
});

test('timers are read by ascending number', () => {
  const text =
    'ID: 2\nsignal: 12/0000000000001234\nnotify: signal/tid.10412\nClockID: -6\n' +
    'ID: 0\nsignal: 0/0000000000000000\nnotify: none/pid.10412\nClockID: 1\n';
  expect(parseTimers(encodeText(text))).toEqual([
    { id: 0, signal: 0, value: 0n, notify: 'none', tid: 0, clock: 1 },
    { id: 2, signal: 12, value: 0x1234n, notify: 'signal', tid: 10412, clock: -6 },
  ]);
  expect(parseTimers(new Uint8Array(0))).toEqual([]);
});
