import { formatInteger } from './integer.ts';
import { integerOf, stringOf, type Argument, type Expand } from './printf.ts';

/** The task that messages are about: the pid it sees itself, and its name. */
export interface LoggedTask {
  readonly pid: number;
  readonly comm: string | Uint8Array;
}

function number(value: Argument, letter: 'd' | 'p'): string {
  const integer = integerOf(value);
  const bits = letter === 'd' ? 32 : 64;
  if (integer === undefined) return stringOf(value);
  return formatInteger(integer, { flags: '', width: 0, precision: undefined, bits, letter });
}

/**
 * The special flags of a message.
 *
 *     %(O) [obj 7]   %(P) [ptr 0x7f00]   %(V) [sym 0x7f00]   %(S) [str text]   %(T) [pid 4 tsk name]
 *
 * Each takes an argument, but for `%(T)`, which is the task. Another letter stays as it stands.
 */
export function expandFlags(task: LoggedTask | undefined): Expand {
  return (letter, args) => {
    if (letter === 'T') {
      return task === undefined
        ? '[pid -1 tsk NULL]'
        : `[pid ${task.pid} tsk ${stringOf(task.comm)}]`;
    }
    if (args.done) return undefined;
    if (letter === 'O') return `[obj ${number(args.next(), 'd')}]`;
    if (letter === 'P') return `[ptr ${number(args.next(), 'p')}]`;
    if (letter === 'V') return `[sym ${number(args.next(), 'p')}]`;
    return letter === 'S' ? `[str ${stringOf(args.next())}]` : undefined;
  };
}
