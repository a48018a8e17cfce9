import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { redirection, targetsOf } from './redirections.ts';

describe('--fd', () => {
  it('is given once for each descriptor', () => {
    const both = redirection('1=/dev/null', redirection('0=3'));
    expect([...both]).toEqual([
      [0, '3'],
      [1, '/dev/null'],
    ]);
    expect(() => redirection('1=x', both)).toThrow(/two places/);
  });

  it.for(['1', '=x', '1=', 'out=x', '-1=x'])('%s is no redirection', (text) => {
    expect(() => redirection(text)).toThrow(/N=PATH/);
  });

  it('takes paths, and descriptors that are there', () => {
    const fd = openSync('/dev/null', 'r');
    try {
      const told = targetsOf(new Map([...redirection(`5=${fd}`), ...redirection('1=log')]));
      expect(told.get(1)).toEqual({ path: resolve('log') });
      expect(told.get(5)).toMatchObject({ fd });
    } finally {
      closeSync(fd);
    }
    expect(() => targetsOf(redirection('1=999'))).toThrow(/without a descriptor 999/);
    expect(() => targetsOf(redirection('999=inherit'))).toThrow(/without a descriptor 999/);
  });
});
