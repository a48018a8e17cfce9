import { expect, test } from 'vitest';
import { assembled, cannotAssemble } from '../testing/assembled.ts';
import { executorCode, executorLabels, frameBias, frameLayout } from './executor-code.ts';

test('the code of the executor, its labels and its frame are what the source assembles to', ({
  skip,
}) => {
  const reason = cannotAssemble();
  if (reason !== undefined) skip(reason);
  const { code, symbols } = assembled('executor.S');
  expect(Buffer.from(executorCode).toString('hex')).toBe(code);
  for (const [name, offset] of Object.entries(executorLabels)) {
    expect([name, symbols.get(name)]).toEqual([name, offset]);
  }
  for (const [name, offset] of Object.entries(frameLayout)) {
    expect([name, symbols.get(name)]).toEqual([name, offset - frameBias]);
  }
});

test('the entry stands two bytes behind the place where a call restarts', () => {
  expect(executorLabels.entered - executorLabels.restarted).toBe(2);
});
