import type { Host } from '@ckpt/engine';
import { resources } from '../resources/index.ts';
import { createHost, type LinuxHostOptions } from './linux-host.ts';

export { checkpointProcess, type CheckpointRequest } from './checkpoint-process.ts';
export { setForeground } from './foreground.ts';
export type { LinuxHostOptions } from './linux-host.ts';
export { releaseConnections } from './netfilter-socket.ts';

/** The host of this machine, with all kinds of kernel resource. */
export function createLinuxHost(options: LinuxHostOptions = {}): Host {
  return createHost(resources, options);
}
