import { createEngine, verifyImage } from '@ckpt/engine';
import { compareFacts, MemoryHost, type RecordedFacts } from '@ckpt/engine/model';
import { CkptError, type Random } from '@ckpt/format';
import { MemoryFile } from '@ckpt/io';
import { generateFacts, resources } from '@ckpt/linux';
import { checkpoint } from '../images/facts-image.ts';
import { Failure, overValues, type Campaign } from '../campaign.ts';

/** A process, and what goes wrong on its way. */
export interface Journey {
  /** Or why there are none: a process that cannot even be made is a finding. */
  readonly facts: RecordedFacts | Error;
  readonly fails: 'nothing' | 'checkpoint' | 'restart';
  /** Which call of the checkpoint, or step of the plan, fails: 0 is the first. */
  readonly index: number;
}

/** Whether the next call of a frozen process fails, or the next step of a plan. */
interface Trouble {
  call(): boolean;
  step(): boolean;
}

/** A machine made from facts. */
export type MakeHost = (facts: RecordedFacts, trouble: Trouble) => MemoryHost;

const makeHost: MakeHost = (facts, trouble) =>
  new MemoryHost(facts, {
    resources,
    fault: () => (trouble.call() ? new CkptError('EIO', 'this call fails') : undefined),
    stepFault: () => (trouble.step() ? 'EIO' : undefined),
  });

/** Most calls and plans are shorter. */
const indexMax = 200;

function factsOf(random: Random): RecordedFacts | Error {
  try {
    return generateFacts(random);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function make(random: Random): Journey {
  const draw = random();
  const fails = (['checkpoint', 'restart'] as const)[draw & 7] ?? 'nothing';
  return {
    // Zeros are the plainest: nothing fails.
    fails: draw === 0 ? 'nothing' : fails,
    index: (draw >>> 3) % indexMax,
    facts: factsOf(random),
  };
}

/** What was thrown. */
function failureOf(call: () => unknown): CkptError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof CkptError) return error;
    throw error;
  }
}

/** All comes back. */
function mustCome(facts: RecordedFacts, host: MemoryHost): void {
  const file = checkpoint(host, facts);
  const { running } = createEngine(host).restart(0, file);
  const [warning] = running.warnings;
  if (warning !== undefined) throw new Failure('a warning', warning);
  const [first] = compareFacts(facts, host.facts(facts.task.pid), { exactTimes: true });
  if (first === undefined) return;
  const { fact, a = 'nothing', b = 'nothing' } = first;
  // Numbers differ from process to process: what is left names the kind of fact.
  const kind = fact.replaceAll(/\b(0x)?[0-9a-f]*\d[0-9a-f]*\b/g, 'N');
  throw new Failure(`${kind} differs`, `${fact}: ${a} before, ${b} after`);
}

/** A checkpoint that fails leaves the process as it was, and no whole image. */
function mustStay(facts: RecordedFacts, host: MemoryHost): void {
  const file = new MemoryFile();
  const error = failureOf(() => checkpoint(host, facts, file));
  const { frozen, thawed, killed } = host.counts;
  if (frozen !== thawed + killed || (error !== undefined && killed > 0)) {
    const counts = `${frozen} times frozen, ${thawed} let go, ${killed} killed`;
    throw new Failure('a process is not let go', `${counts} after ${error?.message ?? 'success'}`);
  }
  file.rewind();
  if (error === undefined || failureOf(() => verifyImage(file)) !== undefined) return;
  throw new Failure('a whole image', `in spite of ${error.message}`);
}

/** A restart that fails leaves nothing. */
function mustNotCome(facts: RecordedFacts, host: MemoryHost): void {
  const file = checkpoint(host, facts);
  const error = failureOf(() => createEngine(host).restart(0, file));
  if (error !== undefined && host.kernel.machine.processes.size > 0) {
    throw new Failure('half a restart', `a process is left after ${error.message}`);
  }
}

const never = (): boolean => false;
const none: Trouble = { call: never, step: never };

function run({ facts, fails, index }: Journey, hostOf: MakeHost): void {
  if (facts instanceof Error) throw facts;
  let left = index;
  const once = (): boolean => left-- === 0;
  if (fails === 'nothing') mustCome(facts, hostOf(facts, none));
  else if (fails === 'checkpoint') mustStay(facts, hostOf(facts, { ...none, call: once }));
  else mustNotCome(facts, hostOf(facts, { ...none, step: once }));
}

/** Facts to image to plan to the model kernel to equal facts; and nothing where a part fails. */
export function plan(hostOf: MakeHost = makeHost): Campaign<Journey> {
  return overValues({
    name: 'plan',
    doc: 'facts to image to plan to the model of a kernel: equal facts come back, or nothing does',
    make,
    run: (journey) => {
      run(journey, hostOf);
    },
    image: ({ facts }) => {
      if (facts instanceof Error) throw facts;
      return checkpoint(makeHost(facts, none), facts).bytes;
    },
  });
}
