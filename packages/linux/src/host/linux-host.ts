import type { Host, Resource, System } from '@ckpt/engine';
import { readPart } from './file-part.ts';
import { statFile } from './file-stat.ts';
import { readClocks } from './clocks.ts';
import { freezeProcess } from './freeze.ts';
import { findHolder, findPidHolders, startTimeOf } from './holders.ts';
import { leaderOf } from './identity.ts';
import { proveRun } from './run-proof.ts';
import { runPlan } from './run.ts';
import { readSystem, rehearse } from './system.ts';

export interface LinuxHostOptions {
  /**
   * Called after every ptrace(2) request, every write to another process's memory and at named
   * points, so that tests can end the checkpointer there.
   */
  readonly at?: (point: string) => void;
}

/**
 * The machine this runs on: x86-64, Linux 5.13 or newer. ptrace(2) binds a frozen process to the OS
 * thread that froze it, so `freeze` and everything on its result happen on one thread, and that
 * thread's end lets the process go whatever state it was in.
 */
export function createHost(resources: readonly Resource[], options: LinuxHostOptions = {}): Host {
  const { at = () => undefined } = options;
  let system: System | undefined;
  return {
    resources,
    self: process.pid,
    system: () => ({
      ...(system ??= readSystem()),
      time: BigInt(Math.floor(Date.now() / 1000)),
      clocks: readClocks(),
    }),
    freeze: (pid, deadlineMs, dies = false) => freezeProcess(pid, deadlineMs, { at, dies }),
    leaderOf,
    rehearse,
    run: (plan, image, pages) =>
      runPlan(plan, pages, { imageFd: image.fd, holder: findHolder, at }),
    prove: proveRun,
    stat: (path) => statFile(path),
    contents: readPart,
    holder: findHolder,
    holders: findPidHolders,
    startTime: startTimeOf,
  };
}
