import { releaseConnections } from '@ckpt/linux/host';
import type { Cli } from '../cli.ts';

export interface ReleaseOptions {
  readonly json?: true;
}

export function release(cli: Cli, pid: number, { json }: ReleaseOptions): void {
  const filters = releaseConnections(pid);
  if (json) cli.print(`${JSON.stringify({ ok: true, pid, filters })}\n`);
  else cli.say(`${cli.err.green('released')} the connections of process ${pid}\n`);
}
