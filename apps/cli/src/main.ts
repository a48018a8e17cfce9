import { processCli } from './cli.ts';
import { run } from './program.ts';

// No top-level await: the single-executable build is CommonJS.
void run(process.argv.slice(2), processCli()).then((status) => {
  process.exitCode = status;
});
