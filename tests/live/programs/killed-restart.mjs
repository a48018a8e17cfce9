// Restarts an image and ends by SIGKILL at the n-th point; at 0 it goes through and counts them.
// usage: killed-restart.mjs IMAGE N
import { createEngine } from '../../../packages/engine/dist/index.js';
import { createLinuxHost } from '../../../packages/linux/dist/host/index.js';
import { openImage } from '../../../packages/io/dist/node/index.js';

const [path, wanted] = process.argv.slice(2);
let points = 0;
const at = () => {
  if (++points === Number(wanted)) process.kill(process.pid, 'SIGKILL');
};
createEngine(createLinuxHost({ at })).restart(0, openImage(path));
console.log(points);
process.exit(0);
