import { crc32c } from '@ckpt/format';
import type { RecordedFacts } from './facts.ts';
import { digestsOf } from './facts-memory.ts';
import { normalizeAnswer, normalizeStat, type NormalizeOptions } from './normalize-answers.ts';
import { plainMappings, type PlainMapping } from './normalize-maps.ts';
import { normalizeFile } from './normalize-proc.ts';
import { normalizeThread } from './normalize-threads.ts';
import { hexOf } from './hex.ts';

/** A fact in which two recordings differ; undefined: it is in the other alone. */
export interface Difference {
  readonly fact: string;
  readonly a: string | undefined;
  readonly b: string | undefined;
}

/** Long contents by their checksum. */
const contentOf = (bytes: Uint8Array): string =>
  bytes.length <= 64 ? hexOf(bytes) : `${bytes.length} bytes, ${crc32c(bytes).toString(16)}`;

type Add = (fact: string, value: string) => void;

/** Inodes of pipes, sockets and time namespaces are given anew: they are numbered in the order of descriptors. */
function plainLinks({ link }: RecordedFacts): ReadonlyMap<string, string> {
  const known = new Map<string, number>();
  const number = (target: string): number => {
    const found = known.get(target) ?? known.size + 1;
    known.set(target, found);
    return found;
  };
  const order = (path: string): number => Number(/^fd\/(\d+)$/.exec(path)?.[1] ?? -1);
  const entries = Object.entries(link).sort(([a], [b]) => order(a) - order(b));
  return new Map(
    entries.map(([path, target = 'not there']) => {
      const isNumbered = /^(pipe|socket|time):\[/.test(target);
      const isDeleted = path.startsWith('fd/') && target.endsWith(' (deleted)');
      const kind = target.slice(0, target.indexOf(':'));
      const name = isNumbered ? `${kind} ${number(target)}` : isDeleted ? 'a deleted file' : target;
      return [path, name];
    }),
  );
}

/** Descriptors that share a description, by the lowest of them. */
function addDescriptions({ descriptions }: RecordedFacts, add: Add): void {
  const groups = new Map<number, string[]>();
  for (const [fd, word] of Object.entries(descriptions)) {
    const group = groups.get(word);
    if (group === undefined) groups.set(word, [fd]);
    else group.push(fd);
  }
  for (const fds of groups.values()) {
    if (fds.length > 1) add(`description of ${fds[0] ?? ''}`, fds.join(' '));
  }
}

function mappingsOf({ read }: RecordedFacts): readonly PlainMapping[] {
  return read.smaps === undefined ? [] : plainMappings(read.smaps);
}

/** Pages, and guards. A page of zeros is as good as none where there is no file behind it. */
function addPages(facts: RecordedFacts, mappings: readonly PlainMapping[], add: Add): void {
  const sorted = [...digestsOf(facts)].sort(([a], [b]) => (a < b ? -1 : 1));
  let index = 0;
  for (const [address, digest] of sorted) {
    while (index < mappings.length && (mappings[index]?.end ?? 0n) <= address) index++;
    const isEmpty = digest === 0 && mappings[index]?.isPrivateAnonymous !== false;
    if (!isEmpty) add(`page ${address.toString(16)}`, digest.toString(16));
  }
  const guards = facts.scans.flatMap(({ runs }) => runs.filter(({ source }) => source === 'guard'));
  for (const { address, pages } of guards) add(`guards ${address.toString(16)}`, String(pages));
}

/** Struct io_rings up to the index array, which a ring without one does not look at. */
function withoutArray(bytes: Uint8Array): Uint8Array {
  const completions = new DataView(bytes.buffer, bytes.byteOffset).getUint32(28, true);
  return bytes.subarray(0, 64 + completions * 16);
}

function addMemory(facts: RecordedFacts, add: Add): void {
  const mappings = mappingsOf(facts);
  for (const { start, end, permissions, offset, what, flags } of mappings) {
    const place = `mapping ${start.toString(16)}-${end.toString(16)}`;
    add(place, `${permissions} ${offset.toString(16)} ${what} [${flags}]`);
  }
  addPages(facts, mappings, add);
  const rings = new Set(
    mappings.flatMap(({ what, offset, start }) =>
      what.startsWith('anon_inode:[io_uring]') && offset === 0n ? [start] : [],
    ),
  );
  for (const { address, bytes } of facts.memory) {
    const kept = rings.has(address) ? withoutArray(bytes) : bytes;
    add(`memory ${address.toString(16)} ${bytes.length}`, contentOf(kept));
  }
  for (const { path, offset, bytes } of facts.contents) {
    // What is in a file with a name is the file system's, which no model has.
    if (path.startsWith('root/')) continue;
    add(`contents ${path} ${offset.toString()}`, contentOf(bytes));
  }
  for (const [path, { seals }] of Object.entries(facts.extents)) {
    add(`seals ${path}`, String(seals));
  }
}

function addDescriptors(facts: RecordedFacts, options: NormalizeOptions, add: Add): void {
  const links = plainLinks(facts);
  for (const [path, target] of links) add(`link ${path}`, target);
  addDescriptions(facts, add);
  /** Any end of a pipe may be asked about it. */
  const what = (fd: string): string => {
    const link = links.get(`fd/${fd}`) ?? '';
    return link.startsWith('pipe ') ? link : fd;
  };
  for (const [key, answer] of Object.entries(facts.probe)) {
    const [fd = '', call = ''] = key.split(' ');
    // MCAST_MSFILTER: which groups are asked for is the machine's affair.
    if (/^getsockopt\(-1000,(0|41),48,/.test(call)) continue;
    add(`probe ${what(fd)} ${call}`, normalizeAnswer(key, answer, options));
  }
  for (const [fd, bytes] of Object.entries(facts.pipes)) add(`pipe ${what(fd)}`, contentOf(bytes));
  for (const [key, events] of Object.entries(facts.polls)) add(`poll ${key}`, events.toString(16));
  const peers = Object.values(facts.peers).filter((peer) => (peer ?? 0n) > 0n);
  add('peers', String(peers.length));
}

/**
 * Facts as texts by their names, without what a restart changes by right: start times, inodes of
 * pipes, sockets and anonymous files, mount ids, numbers of locks, memory in use, who the parent
 * is, the session of who led none, the code by which an interrupted call goes on, index arrays of
 * rings, neighbours that the kernel shows as one mapping, pages of zeros, times that are left.
 */
export function normalizeFacts(
  facts: RecordedFacts,
  options: NormalizeOptions = {},
): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  const add: Add = (fact, value) => all.set(fact, value);
  const { pid, stopped, tids } = facts.task;
  add('pid', String(pid));
  add('stopped', String(stopped));
  add('threads', tids.join(' '));
  for (const [path, bytes] of Object.entries(facts.read)) {
    for (const [name, value] of normalizeFile(path, bytes)) add(`${path} ${name}`.trim(), value);
  }
  for (const [path, names] of Object.entries(facts.list)) {
    add(`list ${path}`, [...names].sort((x, y) => Number(x) - Number(y)).join(' '));
  }
  for (const [path, stat] of Object.entries(facts.stat)) {
    // What has lost its name is looked for in vain, under whatever name.
    if (!path.endsWith(' (deleted)')) add(`stat ${path}`, normalizeStat(stat));
  }
  for (const [tid, state] of Object.entries(facts.threads)) {
    for (const [name, value] of normalizeThread(state)) add(`thread ${tid} ${name}`, value);
  }
  add('pending', facts.pendingShared.map(hexOf).join(' '));
  for (const [key, answer] of Object.entries(facts.ask)) {
    add(`ask ${key}`, normalizeAnswer(key, answer, options));
  }
  for (const [tid, own] of Object.entries(facts.unshared)) add(`own of ${tid}`, own.join(' '));
  addDescriptors(facts, options, add);
  addMemory(facts, add);
  for (const [key, { code }] of Object.entries(facts.failures)) add(`failure ${key}`, code);
  return all;
}

/** What two recordings differ in, apart from what {@link normalizeFacts} leaves out. */
export function compareFacts(
  a: RecordedFacts,
  b: RecordedFacts,
  options: NormalizeOptions = {},
): readonly Difference[] {
  const [first, second] = [normalizeFacts(a, options), normalizeFacts(b, options)];
  const facts = new Set([...first.keys(), ...second.keys()]);
  return [...facts].flatMap((fact) => {
    const [left, right] = [first.get(fact), second.get(fact)];
    return left === right ? [] : [{ fact, a: left, b: right }];
  });
}
