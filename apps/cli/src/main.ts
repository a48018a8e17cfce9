import { CkptError } from '@ckpt/format';
import { program } from './program.ts';

// No top-level await: the single-executable build is CommonJS.
program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof CkptError)) throw error;
  console.error(`ckpt: ${String(error)}`);
  process.exitCode = 1;
});
