import { addressMax } from './address-space.ts';
import type { Inode } from './file-system.ts';
import type { OpenFile } from './open-file.ts';
import { PathFile } from './path-file.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCallOptions, Words } from './system-call.ts';
import type { Vma } from './vma.ts';

/** prctl(2) */
const PR_SET_MM = 35;
const PR_SET_MM_MAP = 14;
const PR_SET_VMA = 0x53564d41;
/** linux/prctl.h, struct prctl_mm_map: bytes, and the end of its addresses. */
const mapSize = 104;
const noFd = 0xffff_ffff;
/** Bytes that the kernel keeps of an auxiliary vector (AT_VECTOR_SIZE, linux/mm_types.h). */
const auxvMax = 2 * 26 * 8;
const CAP_SYS_ADMIN = 21;
const CAP_CHECKPOINT_RESTORE = 40;
/** Letters of a name, its NUL included. */
const nameMax = 80;

/** In the order of struct prctl_mm_map. */
const mmWords = [
  'startCode',
  'endCode',
  'startData',
  'endData',
  'startBrk',
  'brk',
  'startStack',
  'argStart',
  'argEnd',
  'envStart',
  'envEnd',
] as const;

type MmWord = (typeof mmWords)[number];

/** What the kernel knows of an address space beside its mappings. */
export type MmState = Record<MmWord, bigint> & {
  auxv: Uint8Array;
  /** Behind /proc/PID/exe. */
  exe: string;
  /** Where no path leads to it any more. */
  exeFile?: Inode | undefined;
};

/** [first, second]: the first not above the second, or below it. */
const orders: readonly (readonly [MmWord, MmWord, strict: boolean])[] = [
  ['startCode', 'endCode', true],
  ['startData', 'endData', false],
  ['startBrk', 'brk', false],
  ['argStart', 'argEnd', false],
  ['envStart', 'envEnd', false],
];

function checkWords(words: Readonly<Record<MmWord, bigint>>): void {
  for (const [name, word] of Object.entries(words)) {
    if (word < 0x1000n || word >= addressMax) refuse('EINVAL', `${name} at ${word.toString(16)}`);
  }
  for (const [low, high, strict] of orders) {
    if (words[low] > words[high] || (strict && words[low] === words[high])) {
      refuse('EINVAL', `${low} over ${high}`);
    }
  }
}

function exeOf({ process, thread }: Caller, fd: number): Pick<MmState, 'exe' | 'exeFile'> {
  const may = [CAP_SYS_ADMIN, CAP_CHECKPOINT_RESTORE].some((bit) => thread.credentials.can(bit));
  if (!may) refuse('EPERM', 'only who may checkpoint may set the program');
  const file: OpenFile = process.table.file(fd);
  const program = file.object.program?.() ?? refuse('EACCES', 'it is no regular file');
  const before = process.mm.exe;
  if (process.space.vmas.some((vma) => mapsFile(vma, before)))
    refuse('EBUSY', 'it is still mapped');
  const exeFile = file.object instanceof PathFile ? file.object.inode : undefined;
  return { exe: program, exeFile };
}

const mapsFile = ({ backing }: Vma, path: string): boolean =>
  backing.kind === 'object' && backing.object.mapName() === path;

function setMap(caller: Caller, args: Words): number {
  const { process } = caller;
  if (args.word(3) !== BigInt(mapSize)) refuse('EINVAL', 'the size of struct prctl_mm_map');
  const view = process.user.view(args.word(2), mapSize);
  const entries = mmWords.map((name, index) => [name, view.getBigUint64(index * 8, true)]);
  const words = Object.fromEntries(entries) as Record<MmWord, bigint>;
  checkWords(words);
  const auxvSize = view.getUint32(96, true);
  const auxvAt = view.getBigUint64(88, true);
  if (auxvSize > auxvMax || (auxvSize > 0 && auxvAt === 0n)) refuse('EINVAL', 'auxiliary vector');
  const auxv = auxvSize === 0 ? process.mm.auxv : process.user.read(auxvAt, auxvSize);
  const fd = view.getUint32(100, true);
  const exe = fd === noFd ? {} : exeOf(caller, fd);
  Object.assign(process.mm, words, { auxv, ...exe });
  return 0;
}

function setMm(caller: Caller, args: Words): number {
  if (args.int(1) !== PR_SET_MM_MAP) throw new Unmodelled(`prctl(PR_SET_MM, ${args.int(1)})`);
  return setMap(caller, args);
}

/** Printable, but for what would be mistaken in /proc/PID/maps (kernel/sys.c). */
const nameable = (byte: number): boolean =>
  byte >= 0x20 && byte < 0x7f && ![0x5b, 0x5d, 0x5c, 0x24, 0x60].includes(byte);

function setVma({ process }: Caller, args: Words): number {
  if (args.word(1) !== 0n) refuse('EINVAL', 'only names can be set');
  const bytes =
    args.word(4) === 0n ? new Uint8Array(0) : process.user.string(args.word(4), nameMax);
  if (!bytes.every(nameable)) refuse('EINVAL', 'a name that cannot be shown');
  const start = args.word(2);
  if (start % 4096n !== 0n) refuse('EINVAL', 'not at a page');
  const range = { start, end: start + ((args.word(3) + 4095n) / 4096n) * 4096n };
  const { space } = process;
  if (!space.covers(range)) refuse('ENOMEM', 'something is not mapped');
  const isNamed = ({ backing }: Vma): boolean =>
    backing.kind === 'anonymous' ||
    (backing.kind === 'object' && backing.object.mapName() === '/dev/zero (deleted)');
  if (!space.within(range).every(isNamed)) refuse('EBADF', 'a file has a name of its own');
  const name = String.fromCharCode(...bytes);
  space.update(range, (vma) => ({ ...vma, name }));
  return 0;
}

export const mmPrctls: SystemCallOptions = new Map([
  [PR_SET_MM, setMm],
  [PR_SET_VMA, setVma],
]);

/** As exec(2) leaves it, before a plan has set anything. */
export function firstMm(exe: string): MmState {
  const words = Object.fromEntries(mmWords.map((name) => [name, 0n])) as Record<MmWord, bigint>;
  return { ...words, auxv: new Uint8Array(16), exe };
}
