import { run } from './program.ts';

// No top-level await: the single-executable build is CommonJS.
void run(process.argv);
