import { encodeText } from '@ckpt/io';
import { expect, test } from 'vitest';
import { fieldOf, parseFdInfo } from './fdinfo.ts';

const parse = (text: string) => parseFdInfo(encodeText(text));

test('fdinfo is read with close-on-exec apart from the flags', () => {
  const info = parse('pos:\t0\nflags:\t02000001\nmnt_id:\t16\nino:\t15351\n');
  expect(info).toEqual({ position: 0n, flags: 1, closeOnExec: true, inode: 15351n, lines: [] });
});

test('fdinfo of Linux 5.13 has no inode', () => {
  expect(parse('pos:\t12\nflags:\t0100002\nmnt_id:\t16\n')?.inode).toBeUndefined();
});

test('fdinfo keeps what the kind of file says, with names that are used above', () => {
  const info = parse(
    'pos:\t0\nflags:\t02\nmnt_id:\t17\nino:\t1038\nclockid: 1\nsettime flags: 01\nflags: 7\n',
  );
  expect(info?.lines).toEqual(['clockid: 1', 'settime flags: 01', 'flags: 7']);
  expect(info && fieldOf(info, 'settime flags')).toBe('01');
  expect(info && fieldOf(info, 'ticks')).toBeUndefined();
});

test('what is no fdinfo is none', () => {
  expect(parse('')).toBeUndefined();
  expect(parse('flags:\t02\n')).toBeUndefined();
  expect(parse('pos:\t0\nflags:\tx\n')).toBeUndefined();
});
