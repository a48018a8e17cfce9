/**
 * A checkpointer that is killed: freezes a process, asks all its threads, lets it go, and ends itself
 * by SIGKILL at a point of the way. Prints how many points there are when it gets through.
 *
 * Arguments: pid, number of the point (0: none), and a signal that is sent to the frozen process: only
 * points from there on count. "slow" as a point: in the middle of a call that takes 300 ms.
 */
import { freezeProcess } from '../host/freeze.ts';

const [pid = '', last = '', signal] = process.argv.slice(2);

const points: string[] = [];
let counts = signal === undefined;

function at(point: string): void {
  if (!counts && point === 'frozen') {
    counts = true;
    process.kill(Number(pid), signal);
  }
  if (!counts) return;
  const isInCall = points.at(-1) === 'table written' && point === 'ptrace CONT';
  points.push(point);
  if (points.length === Number(last) || (last === 'slow' && isInCall)) {
    process.kill(process.pid, 'SIGKILL');
  }
}

const timeout = new Uint8Array(new BigUint64Array([0n, 300_000_000n]).buffer);
const calls =
  last === 'slow'
    ? [{ call: 'ppoll', args: [0, 0, { in: timeout }, 0, 0] }]
    : [
        { call: 'gettid', args: [] },
        { call: 'sigaltstack', args: [0, { out: 24 }] },
      ];

const frozen = freezeProcess(Number(pid), 3000, { at });
const [task] = frozen.tasks;
for (const thread of task.threads) {
  frozen.thread(task, thread);
  frozen.ask(task, thread, calls);
}
frozen.thaw();
at('thawed');
console.log(`${points.length} ${points.join(', ')}`);
