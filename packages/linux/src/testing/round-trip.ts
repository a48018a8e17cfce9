import { createEngine, type EngineOptions, type Running } from '@ckpt/engine';
import { MemoryFile } from '@ckpt/io';
import { existsSync, readdirSync } from 'node:fs';
import { createHost } from '../host/linux-host.ts';
import { syscall, trySyscall } from '../host/syscall.ts';
import { resources } from '../resources/index.ts';
import { onTestFinished } from 'vitest';
import { Target, pause } from './target.ts';

/** A process that was checkpointed, killed, and restarted. */
export interface RoundTrip {
  readonly image: Uint8Array;
  readonly running: Running;
  readonly notes: readonly string[];
}

export const host = createHost(resources);

/** Image of a process, which goes on unless `options` say otherwise. */
export function imageOf(pid: number, options: EngineOptions = {}): Uint8Array {
  const file = new MemoryFile();
  createEngine(host, options).checkpoint(pid, file);
  return file.bytes;
}

/** Restarts an image; the process is a child of this one. */
export function restartImage(image: Uint8Array, options: EngineOptions = {}): RoundTrip {
  const { running, plan } = createEngine(host, options).restart(0, new MemoryFile(image));
  return { image, running, notes: [...plan.notes, ...running.warnings] };
}

const PR_SET_CHILD_SUBREAPER = 36;

/** fcntl(2) */
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/**
 * From here on, what the targets of this test leave behind is ours to wait for, and at once. What
 * whoever runs the tests has left open is not passed on to them: a pipe to a shell is refused.
 */
export function adoptTargets(): void {
  syscall('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (fd > 2) trySyscall('fcntl', fd, F_SETFD, FD_CLOEXEC);
  }
}

/** A program that does not outlive the test that started it, restarted or not. */
export function startTarget(command: readonly string[]): Target {
  const target = new Target(command);
  onTestFinished(() => {
    target.end();
  });
  return target;
}

/** Until the pid of a killed process is free: that is when its parent has waited for it. */
export function waitForEnd(pid: number): void {
  trySyscall('wait4', pid, 0, 0, 0);
  while (existsSync(`/proc/${pid}`)) pause(5);
}

/** Checkpoints a process, kills it, and restarts it under its own pid. */
export function roundTrip(pid: number): RoundTrip {
  const image = imageOf(pid, { kill: true });
  waitForEnd(pid);
  return restartImage(image);
}
