import { CkptError } from '@ckpt/format';
import { readFileSync } from 'node:fs';
import { parseStatFacts, parseStatusFacts } from './task-facts.ts';

/** "12 (name)"; only the number when there is no such process. */
export function nameOf(pid: number): string {
  try {
    return `${pid} (${parseStatFacts(readFileSync(`/proc/${pid}/stat`, 'utf8')).name})`;
  } catch {
    return `${pid}`;
  }
}

/** Why a thread could not be seized: ptrace(2) says EPERM for all of this. */
export function seizureDenied(pid: number, tid: number, status: string): CkptError {
  const tracer = status === '' ? 0 : parseStatusFacts(status).tracer;
  if (tracer !== 0) return tracedAlready(pid, tracer);
  const remedy = 'run as root, or as the owner of a process that may be traced (ptrace(2))';
  return new CkptError(
    'EPERM',
    `no permission to trace thread ${tid} of process ${nameOf(pid)}: ${remedy}`,
  );
}

export function tracedAlready(pid: number, tracer: number): CkptError {
  return new CkptError('EPERM', `process ${nameOf(pid)} is traced by ${nameOf(tracer)}`);
}

export function ended(pid: number): CkptError {
  return new CkptError('ESRCH', `process ${pid} has ended`);
}

/** A thread that no signal and no tracer reaches. */
export function unreachable(pid: number, tid: number, name: string, deadlineMs: number): CkptError {
  const sentence =
    `thread ${tid} (${name}) of process ${pid} did not stop within ${Math.round(deadlineMs)} ms: it is in ` +
    'uninterruptible sleep (state D), waiting for a vfork child or for a device';
  return new CkptError('ETIMEDOUT', sentence);
}
