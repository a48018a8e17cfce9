import { escapeText } from '@ckpt/format';
import { decodeText, encodeText } from '@ckpt/io';
import { argumentName } from './plan-names.ts';
import type { CallStep, Plan, SpawnStep, Step, Value } from './plan.ts';

/** Results that other steps use, by the short names they get in the text. */
type Results = ReadonlyMap<string, string>;

const hex = (value: bigint): string => (value < 10n ? value.toString() : `0x${value.toString(16)}`);

/** What a call must return: an address, or a descriptor. */
const expected = (value: number | bigint): string =>
  value > 0xffff ? hex(BigInt(value)) : value.toString();

/** Bytes and characters shown of a blob. */
const bytesMax = 8;
const charactersMax = 512;

const isText = (bytes: Uint8Array): boolean =>
  bytes.length > 0 && !bytes.some((byte) => byte < 0x20);

function blobText(bytes: Uint8Array): string {
  const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
  const text = bytes.subarray(0, Math.min(end, charactersMax));
  const decoded = decodeText(text);
  if (isText(text) && encodeText(decoded).length === text.length) {
    return `"${escapeText(decoded)}"${end > charactersMax ? '...' : ''}`;
  }
  if (bytes.length > bytesMax) return `{${bytes.length} bytes}`;
  return `{${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}}`;
}

function valueText(value: Value, results: Results): string {
  if (typeof value === 'number') return value.toString();
  if (typeof value === 'bigint') return hex(value);
  if ('result' in value) return results.get(value.result) ?? `<${value.result}>`;
  if ('blob' in value) return blobText(value.blob);
  if ('room' in value) return `&${value.room}`;
  if ('word' in value) return `${value.word}[${value.index}]`;
  return `<${value.external}>`;
}

function callText(
  { id, call, args, expect, expectRoom, failure }: CallStep,
  results: Results,
): string {
  const words = args.map((value, place) => {
    const number = typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
    const name = number === undefined ? undefined : argumentName(call, place, number);
    return name ?? valueText(value, results);
  });
  const name = results.get(id);
  const result = name === undefined ? '' : `${name} = `;
  const due = expect === undefined ? '' : ` == ${expected(expect)}`;
  const room =
    expectRoom === undefined
      ? ''
      : `, with ${expectRoom.bytes.length} bytes as expected at ${expectRoom.offset} of ${expectRoom.room}`;
  return `${result}${call}(${words.join(', ')})${due}${room}${failure === 'warn' ? ', or warn' : ''}`;
}

function spawnText({ kind, pid, clocks }: SpawnStep): string {
  const made = `make ${kind} ${pid === 0 ? 'of any pid' : pid}`;
  if (clocks === undefined) return made;
  const { monotonic, boottime } = clocks;
  return `${made}, its clocks ${monotonic} and ${boottime} ns ahead of the machine's`;
}

function actionText(step: Step, results: Results): string {
  switch (step.op) {
    case 'call':
      return callText(step, results);
    case 'spawn':
      return spawnText(step);
    case 'wipe':
      return `unmap all but ${step.hole.length} bytes from ${hex(step.hole.address)} on`;
    case 'load': {
      const { to } = step;
      const offset = 'fd' in to && to.offset < 0n ? '' : ` at ${'fd' in to ? to.offset : ''}`;
      const where = 'fd' in to ? valueText(to.fd, results) + offset : hex(to.address);
      return `load ${step.length} bytes from page ${step.index} to ${where}`;
    }
    case 'meet':
      return `all meet (${step.barrier}): ${step.parties.join(' ')}`;
    case 'die':
      return `${step.on} ends with status ${step.status >> 8}`;
    case 'resume':
      return step.stopped ? `${step.on} goes, stopped` : `${step.on} goes`;
  }
}

function valuesOf(step: Step): readonly Value[] {
  if (step.op === 'call') return step.args;
  return step.op === 'load' && 'fd' in step.to ? [step.to.fd] : [];
}

/** Short names in the order of the steps, for results that somebody uses. */
function resultsOf({ steps }: Plan): Results {
  const used = new Set<string>();
  for (const value of steps.flatMap(valuesOf)) {
    if (typeof value === 'object' && 'result' in value) used.add(value.result);
  }
  const found = steps.filter(({ op, id }) => op === 'call' && used.has(id));
  return new Map(found.map(({ id }, index) => [id, `r${index + 1}`]));
}

/**
 * A plan for people: steps as C would call them, under a line that says where in the image they
 * come from and, if not the first one, which thread makes them. `rN` is what a call returned.
 * Whatever comes from the image is escaped.
 */
export function planToText(plan: Plan): string {
  const results = resultsOf(plan);
  const { pages, pageSize } = plan.store;
  const pid = plan.pid === 0 ? 'any pid' : `pid ${plan.pid}`;
  const lines = [`${pid}, ${plan.steps.length} steps, ${pages} pages of ${pageSize} bytes`];
  let heading = '';
  for (const step of plan.steps) {
    const own = step.on === plan.pid || step.on === plan.steps[0]?.on;
    const place = own ? step.from.path : `${step.from.path}, by thread ${step.on}`;
    if (place !== heading) lines.push('', place);
    heading = place;
    lines.push(`  ${actionText(step, results)}`);
  }
  const notes = plan.notes.map((note) => `note: ${escapeText(note)}`);
  return [...lines, ...(notes.length === 0 ? [] : ['']), ...notes, ''].join('\n');
}
