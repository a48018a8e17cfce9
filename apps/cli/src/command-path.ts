import { fileURLToPath } from 'node:url';

/** The command itself. This file is where its parts are, bundled or not. */
export const bin = fileURLToPath(new URL('../bin/ckpt.js', import.meta.url));
