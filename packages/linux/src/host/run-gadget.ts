import { CkptError } from '@ckpt/format';
import type { Memory } from './memory.ts';

/** The instruction `syscall`. */
const instruction = Uint8Array.of(0x0f, 0x05);
/** Bytes looked at in one go. */
const windowSize = 1 << 20;

interface Code {
  readonly start: bigint;
  readonly end: bigint;
  readonly name: string;
}

/** Mappings that the process can run code in, but for the executor's, the vdso first. */
function codeOf(maps: string, outside: { readonly address: bigint; readonly length: number }) {
  const found: Code[] = [];
  for (const line of maps.split('\n')) {
    const parts = /^([0-9a-f]+)-([0-9a-f]+) (r.x.) \S+ \S+ \S+\s*(.*)$/.exec(line);
    if (parts === null) continue;
    const start = BigInt(`0x${parts[1] ?? ''}`);
    const end = BigInt(`0x${parts[2] ?? ''}`);
    const name = parts[4] ?? '';
    const ours = start < outside.address + BigInt(outside.length) && end > outside.address;
    if (!ours && name !== '[vsyscall]') found.push({ start, end, name });
  }
  return found.sort((a, b) => Number(b.name === '[vdso]') - Number(a.name === '[vdso]'));
}

function findIn(memory: Memory, { start, end }: Code): bigint | undefined {
  const size = BigInt(windowSize);
  for (let from = start; from < end; from += size) {
    // One byte more: the instruction may lie across the border.
    const length = end - from > size ? windowSize + 1 : Number(end - from);
    const index = memory.read(from, length).indexOf(instruction);
    if (index >= 0) return from + BigInt(index);
  }
  return undefined;
}

/**
 * Lets something happen with a system call instruction of the restored program itself, outside of
 * the executor's block, which that very call can then unmap. If there is none, two bytes of the
 * program's code are one for so long.
 * @param maps Text of /proc/PID/maps.
 * @throws CkptError ENOEXEC when the program has no code at all.
 */
export function withSyscallInstruction<T>(
  memory: Memory,
  maps: string,
  block: { readonly address: bigint; readonly length: number },
  use: (address: bigint) => T,
): T {
  const mappings = codeOf(maps, block);
  for (const code of mappings) {
    const address = findIn(memory, code);
    if (address !== undefined) return use(address);
  }
  const [first] = mappings;
  if (first === undefined) throw new CkptError('ENOEXEC', 'the restored program has no code');
  const original = memory.read(first.start, instruction.length);
  memory.write(first.start, instruction);
  try {
    return use(first.start);
  } finally {
    memory.write(first.start, original);
  }
}
