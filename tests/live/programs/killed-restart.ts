/**
 * Restarts an image and ends by SIGKILL at the n-th point; at 0 it goes through and counts them.
 *
 * Arguments: IMAGE N. It is bundled before it is run.
 */
import process from 'node:process';
import { createEngine } from '../../../packages/engine/src/index.ts';
import { openImage } from '../../../packages/io/src/node/index.ts';
import { createLinuxHost } from '../../../packages/linux/src/host/index.ts';

const [path = '', wanted] = process.argv.slice(2);
let points = 0;
const at = (): void => {
  if (++points === Number(wanted)) process.kill(process.pid, 'SIGKILL');
};
createEngine(createLinuxHost({ at })).restart(0, openImage(path));
console.log(points);
process.exit(0);
