// Makes a checkpoint and ends by SIGKILL at the n-th point; at 0 it goes through and counts them.
// usage: killed-checkpoint.mjs PID N IMAGE [kill]
import { createEngine } from '../../../packages/engine/dist/index.js';
import { createLinuxHost } from '../../../packages/linux/dist/host/index.js';
import { createImage } from '../../../packages/io/dist/node/index.js';

const [pid, wanted, path, kill] = process.argv.slice(2);
let points = 0;
const at = () => {
  if (++points === Number(wanted)) process.kill(process.pid, 'SIGKILL');
};
const image = createImage(path, { force: true });
const engine = createEngine(createLinuxHost({ at }), {
  kill: kill === 'kill',
  durable: () => image.commit(),
});
engine.checkpoint(Number(pid), image.file);
image.commit();
console.log(points);
