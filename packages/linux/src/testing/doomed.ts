/**
 * A checkpointer that is killed: freezes a process, asks all its threads, lets it go, and ends itself
 * by SIGKILL at a point of the way. Prints how many points there are when it gets through.
 *
 * Arguments: pid, number of the point (0: none), first point that counts ("frozen", ...; "": any).
 */
import { freezeProcess } from '../host/freeze.ts';
import { Tracer } from '../host/ptrace.ts';

const [pid = '', last = '', from = ''] = process.argv.slice(2);

let count = 0;
let counts = from === '';
const points: string[] = [];

function at(point: string): void {
  counts ||= point === from;
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
