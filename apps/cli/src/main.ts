import { exitStatus, processCli } from './cli.ts';
import { run } from './program.ts';

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
