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

/** Where it was thrown, without the path to this tree: "readTail (base-image.js:74)". */
function placeOf(stack: string): string {
  const frame = /^\s+at (?:(.+?) \()?.*?([^/\\]+?)(?::(\d+))?(?::\d+)?\)?$/m.exec(stack);
  return frame === null ? '' : `${frame[1] ?? ''} (${frame[2] ?? ''}:${frame[3] ?? ''})`;
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
