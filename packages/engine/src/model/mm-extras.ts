import type { ModelProcess } from './process.ts';
import { refuse } from './refuse.ts';
import type { SystemCalls } from './system-call.ts';

/** membarrier(2): commands that register, and the one that tells. */
const registers = 0x4 | 0x10 | 0x40 | 0x100;
const GET_REGISTRATIONS = 0x200;
/** core(5): what is in a core file by default, and what may be. */
const coreDefault = 0x33;
const coreAll = 0x1ff;

const registered = new WeakMap<ModelProcess, number>();
const filters = new WeakMap<ModelProcess, number>();

/** /proc/PID/coredump_filter */
export const coreFilter = (process: ModelProcess): number => filters.get(process) ?? coreDefault;

/** Writes /proc/PID/coredump_filter. @throws CkptError EINVAL. */
export function setCoreFilter(process: ModelProcess, text: string): void {
  if (!/^(0x[0-9a-f]+|[0-9]+)\s*$/i.test(text)) refuse('EINVAL', `"${text}" is no number`);
  filters.set(process, Number(text) & coreAll);
}

export const mmExtraCalls: SystemCalls = {
  membarrier: ({ process }, args) => {
    const before = registered.get(process) ?? 0;
    const command = args.int(0);
    if (command === GET_REGISTRATIONS) return before;
    const known = command > 0 && (command & registers) === command;
    if (!known || (command & (command - 1)) !== 0) refuse('EINVAL', `command ${command}`);
    registered.set(process, before | command);
    return 0;
  },
  /** Nobody here has segments of their own. */
  modify_ldt: (_caller, args) => (args.int(0) === 0 ? 0 : refuse('EINVAL', 'segments')),
};
