import { Failure, type Campaign } from '../campaign.ts';

/** What went wrong in one execution. */
export interface Fault {
  /** Faults with the same key are one finding. */
  readonly key: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

const frames = 30;

/** "    at readTail (file:///x/base-image.js:74:3)", or without a name and parentheses. */
const frame = /^\s+at (?:(.+?) \()?(?:file:\/\/)?([^()]*[/\\])([^/\\()]+?:\d+):\d+\)?$/;

/** The first place of ours that it was thrown from: "readTail (base-image.js:74)". */
function placeOf(stack: string): string {
  for (const line of stack.split('\n')) {
    const [, name = '', folder = '', place = ''] = frame.exec(line) ?? [];
    if (place !== '' && !folder.startsWith('node:')) return `${name} (${place})`;
  }
  return '';
}

function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) {
    const message = `thrown was ${typeof error}`;
    return { key: message, name: typeof error, message, stack: '' };
  }
  const { name, message, stack = '' } = error;
  const key = error instanceof Failure ? error.key : `${name} in ${placeOf(stack)}`;
  return { key, name, message, stack };
}

/** Tries a value; what is thrown is a fault, with its stack. */
export function attempt<T>(campaign: Campaign<T>, value: T): Fault | undefined {
  try {
    campaign.run(value);
    return undefined;
  } catch (first) {
    // Stacks cost more than most executions: they are taken for findings alone.
    const before = Error.stackTraceLimit;
    Error.stackTraceLimit = frames;
    try {
      campaign.run(value);
      return { ...faultOf(first), message: `${faultOf(first).message} (the first time only)` };
    } catch (second) {
      return faultOf(second);
    } finally {
      Error.stackTraceLimit = before;
    }
  }
}
