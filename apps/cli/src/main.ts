import { setFlagsFromString } from 'node:v8';
import { exitStatus, processCli } from './cli.ts';
import { run } from './program.ts';

// Collect garbage early: a process with ten thousands of mappings is not to cost more memory than
// it must, and one with few costs no time.
setFlagsFromString('--optimize-for-size');

const cli = processCli();

// No top-level await: the single-executable build is CommonJS.
void run(process.argv.slice(2), cli)
  .catch((error: unknown) => {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    cli.say(`ckpt: a bug of ckpt, worth a report:\n${stack}\n`);
    return exitStatus.failed;
  })
  .then((status) => {
    process.exitCode = status;
  });
