import type { Cli } from '../cli.ts';
import type { Front } from './front.ts';
import { isApart, jobOf, sharedSignal } from './job.ts';

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

function passOn(pid: number, front: Front, signal: (typeof passedOn)[number]): void {
  if (signal === 'SIGCONT') front.give(pid);
  const other = jobOf(pid);
  if (other !== undefined && !sharedSignal(signal, jobOf('self'), other)) {
    // SIGTSTP does nothing to a process group that no shell of its session looks after.
    send(pid, signal === 'SIGTSTP' ? 'SIGSTOP' : signal);
  }
  if (signal !== 'SIGTSTP') return;
  front.takeBack();
  // What our own handler kept from happening: the shell is to see a stopped job.
  process.kill(process.pid, 'SIGSTOP');
}

/** Milliseconds after which standing still is no passing thing, such as Ctrl-Z and `fg`. */
const settledMs = 300;

/**
 * Says when the process stands still, which looks like waiting for it otherwise. One that its
 * terminal has stopped alone, for Ctrl-Z or because it read in the background, stops us too, so
 * that the shell sees a stopped job.
 */
function watchStops(cli: Cli, pid: number, front: Front): () => void {
  let told = false;
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const job = jobOf(pid);
    const stopped = job?.state === 'T';
    if (stopped && isApart(jobOf('self'), job)) {
      front.takeBack();
      process.kill(0, 'SIGTSTP');
      return;
    }
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
export function relaySignals(cli: Cli, pid: number, front: Front): () => void {
  const ends: (() => unknown)[] = passedOn.map((signal) => {
    const handler = () => {
      passOn(pid, front, signal);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  ends.push(watchStops(cli, pid, front));
  return () => {
    for (const end of ends) end();
  };
}
