import { decodeText, encodeText } from '@ckpt/io';

/** netlink(7), linux/netlink.h. Numbers of a message are little endian, those of nf_tables big. */
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_DUMP = 0x300;
const NLM_F_CREATE = 0x400;
const NLM_F_APPEND = 0x800;
const NLA_F_NESTED = 0x8000;
/** linux/netfilter/nfnetlink.h */
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFNL_SUBSYS_NFTABLES = 10;
/** linux/netfilter.h */
const NFPROTO_INET = 1;

/** Bytes of struct nlmsghdr and struct nfgenmsg. */
const headerSize = 16;
const familySize = 4;
const align = (size: number): number => (size + 3) & ~3;

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** An attribute: u16 length, u16 type, content, padded to four bytes. */
export function attribute(type: number, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align(4 + content.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + content.length, true);
  view.setUint16(2, type, true);
  bytes.set(content, 4);
  return bytes;
}

export const nested = (type: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  attribute(type | NLA_F_NESTED, concat(...parts));

export function number(type: number, value: number): Uint8Array {
  const content = new Uint8Array(4);
  new DataView(content.buffer).setInt32(0, value, false);
  return attribute(type, content);
}

export const text = (type: number, value: string): Uint8Array =>
  attribute(type, concat(encodeText(value), Uint8Array.of(0)));

function message(type: number, flags: number, rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerSize + rest.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, NLM_F_REQUEST | flags, true);
  bytes.set(rest, headerSize);
  return bytes;
}

const family = (number: number, resource = 0): Uint8Array =>
  Uint8Array.of(number, 0, resource >> 8, resource & 0xff);

/** Kinds of nf_tables messages (linux/netfilter/nf_tables.h) and their flags. */
const kinds = {
  getTable: [1, NLM_F_DUMP],
  newTable: [0, NLM_F_CREATE],
  deleteTable: [2, 0],
  newChain: [3, NLM_F_CREATE],
  newRule: [6, NLM_F_CREATE | NLM_F_APPEND],
} as const;

/** A message to nf_tables about the family inet, which is asked to say what became of it. */
export function tables(kind: keyof typeof kinds, ...parts: readonly Uint8Array[]): Uint8Array {
  const [type, flags] = kinds[kind];
  const rest = concat(family(NFPROTO_INET), ...parts);
  const answer = kind === 'getTable' ? 0 : NLM_F_ACK;
  return message((NFNL_SUBSYS_NFTABLES << 8) | type, flags | answer, rest);
}

/** Messages that are obeyed together, or not at all. */
export function batch(...messages: readonly Uint8Array[]): Uint8Array {
  const border = family(0, NFNL_SUBSYS_NFTABLES);
  const begin = message(NFNL_MSG_BATCH_BEGIN, 0, border);
  return concat(begin, ...messages, message(NFNL_MSG_BATCH_END, 0, border));
}

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NFTA_TABLE_NAME = 1;

/** What answers say: the first error, a negative errno or 0; names of tables; whether more comes. */
export interface Told {
  readonly error: number;
  readonly names: readonly string[];
  readonly isEnd: boolean;
}

/** The name in a message about a table. */
function nameIn(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = headerSize + familySize; at + 4 <= bytes.length;) {
    const length = view.getUint16(at, true);
    const type = view.getUint16(at + 2, true);
    if (type === NFTA_TABLE_NAME) return decodeText(bytes.subarray(at + 4, at + length - 1));
    at += Math.max(4, align(length));
  }
  return '';
}

/** Reads answers of nf_tables. */
export function readAnswers(answers: Uint8Array): Told {
  const view = new DataView(answers.buffer, answers.byteOffset, answers.length);
  const names: string[] = [];
  let error = 0;
  let isEnd = false;
  for (let at = 0; at + headerSize + familySize <= answers.length;) {
    const length = Math.max(headerSize, view.getUint32(at, true));
    const type = view.getUint16(at + 4, true);
    if (type === NLMSG_ERROR) error ||= view.getInt32(at + headerSize, true);
    if (type === NLMSG_DONE) isEnd = true;
    if (type === NFNL_SUBSYS_NFTABLES << 8) names.push(nameIn(answers.subarray(at, at + length)));
    at += align(length);
  }
  return { error, names, isEnd: isEnd || error !== 0 };
}
