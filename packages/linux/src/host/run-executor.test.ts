import { expect, test } from 'vitest';
import { assembled, cannotAssemble } from '../testing/assembled.ts';
import { cpuidCode } from './cpuid.ts';
import { executorCode, stubCode } from './run-executor-code.ts';

test.for([
  { source: 'run-executor.S', section: '.text', what: 'the executor', code: executorCode },
  { source: 'run-executor.S', section: '.stub', what: 'the stub', code: stubCode },
  { source: 'cpuid.S', section: '.text', what: 'cpuid', code: cpuidCode },
])('the code of $what is what its source assembles to', ({ source, section, code }, { skip }) => {
  const reason = cannotAssemble();
  if (reason !== undefined) skip(reason);
  expect(Buffer.from(code).toString('hex')).toBe(assembled(source, section).code);
});
