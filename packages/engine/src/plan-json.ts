import type { Plan, SpawnStep, Step, Value } from './plan.ts';

/** What JSON can hold. */
export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648, section 4. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3);
    const word = (a << 16) | (b << 8) | c;
    const left = bytes.length - at;
    const digit = (shift: number): string => alphabet[(word >> shift) & 63] ?? '';
    text += digit(18) + digit(12) + (left > 1 ? digit(6) : '=') + (left > 2 ? digit(0) : '=');
  }
  return text;
}

/** Bytes shown in full; of more only the first ones and how many there are. */
const shownMax = 512;

function bytesToJson(bytes: Uint8Array): Json {
  if (bytes.length <= shownMax) return { base64: base64(bytes) };
  return { base64: base64(bytes.subarray(0, shownMax)), length: bytes.length };
}

/** Any part of a plan: bigints as decimal strings, bytes as base64, all else as it is. */
function toJson(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  if (value instanceof Uint8Array) return bytesToJson(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object') throw new Error(`a ${typeof value} in a plan`);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, toJson(inner)]));
}

/** A plan as JSON, for `--dry-run`. */
export function planToJson(plan: Plan): Json {
  return toJson(plan);
}

const hex = (value: bigint): string =>
  value < 0n ? value.toString() : value < 10n ? value.toString() : `0x${value.toString(16)}`;

function textOf(bytes: Uint8Array): string | undefined {
  const end = bytes.length > 0 && bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
  const characters = bytes.subarray(0, end);
  if (end === 0 || characters.some((byte) => byte < 0x20 || byte > 0x7e)) return undefined;
  return JSON.stringify(String.fromCharCode(...characters.subarray(0, shownMax)));
}

function valueText(value: Value): string {
  if (typeof value === 'number') return value.toString();
  if (typeof value === 'bigint') return hex(value);
  if ('result' in value) return `<${value.result}>`;
  if ('blob' in value) return textOf(value.blob) ?? `{${value.blob.length} bytes}`;
  if ('room' in value) return `{room ${value.room}, ${value.size} bytes}`;
  if ('word' in value) return `<${value.word}[${value.index}]>`;
  return `<${value.external}>`;
}

function clocksText({ clocks }: SpawnStep): string {
  if (clocks === undefined) return '';
  return `, its clocks ${clocks.monotonic} and ${clocks.boottime} ns ahead of the machine's`;
}

function actionText(step: Step): string {
  switch (step.op) {
    case 'call': {
      const expect = step.expect === undefined ? '' : ` = ${step.expect}`;
      const room = step.expectRoom === undefined ? '' : ` checks ${step.expectRoom.room}`;
      const warn = step.failure === 'warn' ? ' (or warn)' : '';
      return `${step.call}(${step.args.map(valueText).join(', ')})${expect}${room}${warn}`;
    }
    case 'spawn':
      return `make ${step.kind} ${step.pid === 0 ? 'of any pid' : step.pid}${clocksText(step)}`;
    case 'wipe':
      return `unmap all but ${hex(step.hole.address)} +${step.hole.length}`;
    case 'load': {
      const { to } = step;
      const where = 'fd' in to ? `${valueText(to.fd)} at ${to.offset}` : hex(to.address);
      return `load ${step.length} bytes from page ${step.index} to ${where}`;
    }
    case 'meet':
      return `meet ${step.barrier}: ${step.parties.join(' ')}`;
    case 'resume':
      return step.stopped ? 'go, stopped' : 'go';
  }
}

/** A plan for people: a line for each step with its id, its thread and where it comes from. */
export function planToText(plan: Plan): string {
  const lines = plan.steps.map(
    (step) => `${step.on}  ${step.id}: ${actionText(step)}  # ${step.from.path}`,
  );
  const { pages, pageSize } = plan.store;
  return [
    `pid ${plan.pid === 0 ? 'any' : plan.pid}, ${pages} pages of ${pageSize} bytes`,
    ...lines,
    ...plan.notes.map((note) => `note: ${note}`),
    '',
  ].join('\n');
}
