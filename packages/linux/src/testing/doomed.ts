/**
 * A checkpointer that is killed: freezes a process, asks all its threads, lets it go, and ends itself
 * by SIGKILL at a point of the way. Prints how many points there are when it gets through.
 *
 * Arguments: pid, number of the point (0: none), and a signal that is sent to the frozen process: only
 * points from there on count.
 */
import { freezeProcess } from '../host/freeze.ts';
import { Tracer } from '../host/ptrace.ts';

const [pid = '', last = '', signal] = process.argv.slice(2);

let count = 0;
let counts = signal === undefined;
const points: string[] = [];

function at(point: string): void {
  if (!counts && point === 'frozen') {
    counts = true;
    process.kill(Number(pid), signal);
  }
  if (!counts) return;
  points.push(point);
  if (++count === Number(last)) process.kill(process.pid, 'SIGKILL');
}

const frozen = freezeProcess(Number(pid), 3000, new Tracer(at), at);
const [task] = frozen.tasks;
for (const thread of task.threads) {
  frozen.thread(task, thread);
  frozen.ask(task, thread, [
    { call: 'gettid', args: [] },
    { call: 'sigaltstack', args: [0, { out: 24 }] },
  ]);
}
frozen.thaw();
at('thawed');
console.log(`${count} ${points.join(', ')}`);
