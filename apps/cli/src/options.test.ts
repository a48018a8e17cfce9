import { CKPT_DBASE, CKPT_DDEFAULT, CKPT_DRW, CKPT_DSYS } from '@ckpt/format';
import { describe, expect, it } from 'vitest';
import { debugClasses, kernelVersion, movedPath, positive } from './options.ts';

describe('debug classes', () => {
  it.each([
    ['base', CKPT_DBASE],
    ['sys,rw', CKPT_DSYS | CKPT_DRW],
    ['CKPT_DBASE,ckpt_drw', CKPT_DBASE | CKPT_DRW],
    ['all', CKPT_DDEFAULT],
    ['0x6', CKPT_DSYS | CKPT_DRW],
    ['0', 0],
  ])('%s', (text, level) => {
    expect(debugClasses(text)).toBe(level);
  });

  it.each(['', 'io', 'base,', 'toString', '0x', '-1'])('%j are none', (text) => {
    expect(() => debugClasses(text)).toThrow('Classes are base, sys, rw, all.');
  });
});

describe('a version of the kernel', () => {
  it('has two parts or three', () => {
    expect(kernelVersion('2.6.37')).toEqual([2, 6, 37]);
    expect(kernelVersion('6.1')).toEqual([6, 1, 0]);
    for (const text of ['6', '6.', '6.1.x', 'v6.1', ''])
      expect(() => kernelVersion(text)).toThrow();
  });
});

describe('a whole number', () => {
  it('is from 1 on', () => {
    expect(positive('4242')).toBe(4242);
    for (const text of ['0', '', '1.5', '1e3', '-1', '99999999999']) {
      expect(() => positive(text)).toThrow();
    }
  });
});

describe('a path that moved', () => {
  it('is a pair of absolute paths, one more each time', () => {
    const first = movedPath('/no/such/a/=/no/b=c');
    expect(first).toEqual([['/no/such/a', '/no/b=c']]);
    expect(movedPath('/no/x/../y=z', first)).toEqual([
      ['/no/such/a', '/no/b=c'],
      ['/no/y', `${process.cwd()}/z`],
    ]);
  });

  it('leads to where it really is', () => {
    expect(movedPath('/a=/proc/self')).toEqual([['/a', `/proc/${process.pid}`]]);
  });

  it.each(['', '/a', 'a=/b', '=/b', '/a='])('%j is none', (text) => {
    expect(() => movedPath(text)).toThrow('It is OLD=NEW');
  });

  it('moved to one place', () => {
    expect(() => movedPath('/a/=/c', [['/a', '/b']])).toThrow('/a moved to one place only');
  });
});
