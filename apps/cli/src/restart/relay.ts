import type { Cli } from '../cli.ts';
import { jobOf, sharedSignal } from './job.ts';

const passedOn = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGTSTP',
  'SIGCONT',
  'SIGWINCH',
] as const;

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone: its status is on the way.
  }
}

function passOn(pid: number, signal: (typeof passedOn)[number]): void {
  const other = jobOf(pid);
  if (other !== undefined && !sharedSignal(signal, jobOf('self'), other)) {
    // SIGTSTP does nothing to a process group that no shell of its session looks after.
    send(pid, signal === 'SIGTSTP' ? 'SIGSTOP' : signal);
  }
  // What our own handler kept from happening: the shell is to see a stopped job.
  if (signal === 'SIGTSTP') process.kill(process.pid, 'SIGSTOP');
}

/** Milliseconds after which standing still is no passing thing, such as Ctrl-Z and `fg`. */
const settledMs = 300;

/** Says when the process stands still, which looks like waiting for it otherwise. */
function watchStops(cli: Cli, pid: number): () => void {
  let told = false;
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const stopped = jobOf(pid)?.state === 'T';
    if (stopped && !told) cli.say(`ckpt: process ${pid} is stopped: kill -CONT ${pid} goes on\n`);
    told = stopped;
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(look, settledMs);
  };
  process.on('SIGCHLD', soon);
  soon();
  return () => {
    process.off('SIGCHLD', soon);
    clearTimeout(timer);
  };
}

/** Passes signals on to a process that we wait for. Returns how to stop it. */
export function relaySignals(cli: Cli, pid: number): () => void {
  const ends: (() => unknown)[] = passedOn.map((signal) => {
    const handler = () => {
      passOn(pid, signal);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  ends.push(watchStops(cli, pid));
  return () => {
    for (const end of ends) end();
  };
}
