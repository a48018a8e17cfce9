import type { Answer, Call, ImageRecord, RestoreScope, Value } from '@ckpt/engine';
import type { Socket, SocketOption } from '@ckpt/format';
import { decodeText } from '@ckpt/io';
import {
  buffers,
  has,
  joinings,
  option,
  options,
  SO_BUF_LOCK,
  SO_REUSEADDR,
  SOL_SOCKET,
  type Option,
  type Shape,
} from './socket-option-table.ts';

/** A call of a probe that reads an option. */
export const getOption = (level: number, name: number, size: number): Call => ({
  call: 'getsockopt',
  args: [-1000, level, name, { out: size }, { inout: lengthOf(size) }],
});

function lengthOf(size: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, size, true);
  return bytes;
}

/** What a probe of {@link getOption} says; undefined when there is no such option. */
export function optionValue(answer: Answer | undefined): Uint8Array | undefined {
  const [value, length] = answer?.out ?? [];
  if (answer?.result !== 0n || value === undefined || length === undefined) return undefined;
  const size = new DataView(length.buffer, length.byteOffset).getInt32(0, true);
  return value.subarray(0, Math.max(0, Math.min(size, value.length)));
}

/** The first word of it. */
export function optionNumber(answer: Answer | undefined): number | undefined {
  const value = optionValue(answer);
  if (value === undefined || value.length === 0) return undefined;
  const word = new Uint8Array(4);
  word.set(value.subarray(0, 4));
  return new DataView(word.buffer).getInt32(0, true);
}

const differs = ({ initial, initialText, size }: Option, value: Uint8Array): boolean => {
  if (initialText !== undefined) return decodeText(value) !== initialText;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (size === 4 && value.length === 1) return value[0] !== initial;
  for (let at = 0; at + 4 <= value.length; at += 4) {
    if (view.getInt32(at, true) !== initial) return true;
  }
  return false;
};

/** The calls of a probe; {@link readOptions} takes their answers in this order. */
export function optionCalls(shape: Shape): readonly Call[] {
  return [
    getOption(SOL_SOCKET, SO_REUSEADDR, 4),
    getOption(SOL_SOCKET, SO_BUF_LOCK, 4),
    ...buffers.map(({ name }) => getOption(SOL_SOCKET, name, 4)),
    ...options
      .filter(({ of }) => has(shape, of))
      .map(({ level, name, size }) => getOption(level, name, size)),
  ];
}

const record = (level: number, name: number, value: Uint8Array): SocketOption => ({
  level,
  name,
  length: value.length,
  value,
});

/**
 * Options that are not as a new socket has them, in the order in which they are to be set.
 * @param isConnection Without those that the kernel then changes by itself.
 */
export function readOptions(
  shape: Shape,
  answers: readonly Answer[],
  isConnection = false,
): readonly SocketOption[] {
  const [reuse, lock, ...others] = answers;
  const own = options.filter(({ of }) => has(shape, of));
  const found = own.flatMap((each, index) => {
    const value = optionValue(others[buffers.length + index]);
    if (value === undefined || !differs(each, value)) return [];
    if (isConnection && each.idle === true) return [];
    return [record(each.level, each.name, value)];
  });
  const locked = isConnection ? 0 : (optionNumber(lock) ?? 0);
  for (const [index, { name, lock: bit }] of buffers.entries()) {
    const size = optionNumber(others[index]);
    if ((locked & bit) !== 0 && size !== undefined) {
      found.push(record(SOL_SOCKET, name, lengthOf(Math.floor(size / 2))));
    }
  }
  const reused = optionValue(reuse);
  if (reused?.some((byte) => byte !== 0) === true) {
    found.push(record(SOL_SOCKET, SO_REUSEADDR, reused));
  }
  return found;
}

const known = new Map(
  [
    ...options,
    ...joinings,
    ...buffers.map(({ name, what }) => option('all', SOL_SOCKET, what, name)),
    option('all', SOL_SOCKET, 'SO_REUSEADDR', SO_REUSEADDR),
  ].map((each) => [`${each.level}:${each.name}`, each]),
);

/** An option of an image, and what is known of it. */
export interface KnownOption extends SocketOption {
  readonly what: string;
  readonly early: boolean;
  readonly optional: boolean;
}

/** @throws CkptError EINVAL for an option that no checkpoint writes. */
export function checkOptions(
  socket: ImageRecord<Socket>,
  values: readonly SocketOption[],
): readonly KnownOption[] {
  return values.map((value) => {
    const found = known.get(`${value.level}:${value.name}`);
    if (found === undefined || value.length > found.size || value.length === 0) {
      const sentence = `option ${value.name} of level ${value.level}, ${value.length} bytes`;
      throw socket.invalid('options', sentence);
    }
    const { what, early = false, optional = false } = found;
    return { ...value, what, early, optional };
  });
}

/** Plans one option. */
export function setOption(
  scope: RestoreScope,
  from: ImageRecord,
  fd: Value,
  { level, name, length, value, what, optional }: Omit<KnownOption, 'early'>,
  section: 'descriptors' | 'connections' = 'descriptors',
): void {
  const blob = value.slice(0, length);
  scope.call(section, from, 'setsockopt', [fd, level, name, { blob }, length], {
    what: `socket option ${what}`,
    failure: optional ? 'warn' : 'fatal',
  });
}
