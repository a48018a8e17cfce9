// `npm start` alone shows the demo; `npm start -- ARGS` is `ckpt ARGS`.
import process from 'node:process';

if (process.argv.length === 2) process.argv.push('demo');
await import('../apps/cli/bin/ckpt.js');
