/** Checkpoints and restarts within this process, each of which goes through one file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createEngine } from '@ckpt/engine';
import { createImage, openImage } from '@ckpt/io/node';
import { createLinuxHost } from '@ckpt/linux/host';
import { timed } from './measure.mjs';

/** A folder that is removed at the end, or one that is told, on another file system. */
export const folder = process.env.FOLDER ?? mkdtempSync(join(tmpdir(), 'ckpt-bench-'));
export const image = join(folder, 'image.ckpt');

process.on('exit', () => {
  if (process.env.FOLDER === undefined) rmSync(folder, { recursive: true, force: true });
  else rmSync(image, { force: true });
});

const engine = createEngine(createLinuxHost());

/** Milliseconds, and what the engine says of it. The process goes on. */
export function checkpointOnce(pid) {
  rmSync(image, { force: true });
  return timed(() => {
    const target = createImage(image);
    const made = engine.checkpoint(pid, target.file);
    target.commit();
    return made;
  });
}

/** Milliseconds, and the process. */
export function restartOnce() {
  return timed(() => {
    const file = openImage(image);
    try {
      return engine.restart(0, file).running;
    } finally {
      file.close();
    }
  });
}
