/**
 * Makes a checkpoint and ends by SIGKILL at a point: the n-th, or the n-th of a name ("frozen#1").
 * At 0 it goes through and counts them; "names" prints them, too, and how long it took; "again": one
 * checkpoint behind the other, "begin" before the first one, until somebody kills it.
 *
 * Arguments: PID POINT IMAGE [kill]. It is bundled before it is run.
 */
import process from 'node:process';
import { createEngine } from '../../../packages/engine/src/index.ts';
import { createImage } from '../../../packages/io/src/node/index.ts';
import { createLinuxHost } from '../../../packages/linux/src/host/index.ts';

const [pid, wanted = '', path = '', kill] = process.argv.slice(2);
const names: string[] = [];
const counts = new Map<string, number>();

const at = (point: string): void => {
  const count = (counts.get(point) ?? 0) + 1;
  counts.set(point, count);
  const name = `${point}#${count}`;
  names.push(name);
  if (names.length === Number(wanted) || name === wanted) process.kill(process.pid, 'SIGKILL');
};

function checkpoint(): number {
  const image = createImage(path, { force: true });
  const durable = (): void => {
    image.commit();
  };
  const engine = createEngine(createLinuxHost({ at }), { kill: kill === 'kill', durable });
  const began = performance.now();
  engine.checkpoint(Number(pid), image.file);
  image.commit();
  return performance.now() - began;
}

if (wanted === 'again') console.log('begin');
const ms = checkpoint();
while (wanted === 'again') checkpoint();
console.log(wanted === 'names' ? JSON.stringify({ names, ms }) : names.length);
