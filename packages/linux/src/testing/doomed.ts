/**
 * A checkpointer that is killed: freezes a process, asks all its threads, lets it go, and ends itself
 * by SIGKILL at a point of the way. Prints how many points there are when it gets through.
 *
 * Arguments: pid, number of the point (0: none), and a signal that is sent to the frozen process: only
 * points from there on count ("": none). "slow" as a point: in the middle of a call that takes 300 ms;
 * "again": one checkpoint after the other, until somebody kills it. Last
 * the address of a word that is set to 1 when the process stands in a restartable sequence.
 */
import { writeSync } from 'node:fs';
import { freezeProcess } from '../host/freeze.ts';
import { Memory } from '../host/memory.ts';

const [pid = '', last = '', signal = '', flag] = process.argv.slice(2);

const points: string[] = [];
let counts = signal === '';

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

/** One checkpoint. */
function checkpoint(): void {
  const frozen = freezeProcess(Number(pid), 3000, { at });
  const [task] = frozen.tasks;
  if (flag !== undefined && frozen.thread(task, { tid: task.pid }).rseq.criticalSection !== 0n) {
    new Memory(task.pid).writeWord(BigInt(flag), 1n);
    writeSync(1, 'inside\n');
  }
  for (const thread of task.threads) {
    frozen.thread(task, thread);
    frozen.ask(task, thread, calls);
  }
  frozen.thaw();
  at('thawed');
}

do checkpoint();
while (last === 'again');
console.log(`${points.length} ${points.join(', ')}`);
