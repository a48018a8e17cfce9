import { spawn } from 'node:child_process';
import { ownNamespaces } from '../check/machine.ts';
import { exitStatus, type Cli } from '../cli.ts';
import { bin } from '../command-path.ts';

/** The first process of a pid namespace has to wait for orphans, which a shell does and Node not. */
const init = '"$@"; exit "$?"';

/** A run of the demonstration in namespaces of its own, where whoever starts it is root. */
export interface Inside {
  readonly status: Promise<number>;
  /** Ends all processes in there, at once. */
  readonly kill: () => void;
}

export function runInside(cli: Cli, args: readonly string[]): Inside {
  const unshare = [...ownNamespaces, '--kill-child', 'sh', '-c', init, 'sh'];
  const child = spawn('unshare', [...unshare, process.execPath, bin, ...args], {
    stdio: 'inherit',
  });
  const status = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      cli.say(`ckpt: unshare(1) of util-linux is missing: ${error.message}\n`);
      resolve(exitStatus.failed);
    });
    child.once('exit', (code) => {
      resolve(code ?? exitStatus.failed);
    });
  });
  return { status, kill: () => child.kill('SIGKILL') };
}
