import { constants } from 'node:os';
import { expect, it } from 'vitest';
import { ckptValidateErrno, errnoByName, errnoName } from './errno.ts';

it('the numbers are those of this kernel', ({ skip }) => {
  if (process.platform !== 'linux') skip('not Linux: other numbers');
  const known = new Map<string, number>(Object.entries(errnoByName));
  const aliases = new Set(['EWOULDBLOCK', 'ENOTSUP', 'EDEADLOCK']);
  for (const [name, number] of Object.entries(constants.errno))
    if (!aliases.has(name)) expect([name, known.get(name)]).toEqual([name, number]);
});

it('every number up to EHWPOISON has a name but the two that Linux left out', () => {
  const nameless = Array.from({ length: 133 }, (_, index) => index + 1).filter(
    (number) => errnoName(number) === undefined,
  );
  expect(nameless).toEqual([41, 58]);
});

it.each([
  [0, true],
  [4095, true],
  [4096, false],
  [-1, false],
  [1.5, false],
  [NaN, false],
])('%d is an errno: %s', (number, valid) => {
  expect(ckptValidateErrno(number)).toBe(valid);
});
