import type { Call, CheckpointScope, ImageRecord, RestoreScope } from '@ckpt/engine';
import { barrierCommands, coreContents, type Mm } from '@ckpt/format';
import { decodeText, encodeText } from '@ckpt/io';
import { cString } from '../procfs/text.ts';
import { AT_FDCWD, close } from './path-open.ts';

/** membarrier(2), since Linux 6.3: before, nothing tells. */
const MEMBARRIER_CMD_GET_REGISTRATIONS = 0x200;
const O_WRONLY_CLOEXEC = 0o2000001;
/** core(5): what is in a core file unless somebody wrote to /proc/PID/coredump_filter. */
const coreDefault = 0x33;

const allBits = (bits: Readonly<Record<string, number>>): number =>
  Object.values(bits).reduce((sum, bit) => sum | bit, 0);

export const askBarriers: Call = {
  call: 'membarrier',
  args: [MEMBARRIER_CMD_GET_REGISTRATIONS, 0, 0],
};

/** Bits of `barrierCommands`, from the answer to {@link askBarriers}. */
export function barriersOf(result: bigint | undefined): number {
  return result === undefined || result < 0n ? 0 : Number(result) & allBits(barrierCommands);
}

/** Bits of /proc/PID/coredump_filter that were changed. */
export function coreOf({ frozen, task }: CheckpointScope): number {
  const bytes = frozen.read(task, 'coredump_filter');
  const bits = Number.parseInt(decodeText(bytes ?? new Uint8Array(0)), 16);
  return Number.isNaN(bits) ? 0 : (bits ^ coreDefault) & allBits(coreContents);
}

/** Plans what an address space was registered for, and what a core file of it holds. */
export function restoreExtras(scope: RestoreScope, record: ImageRecord<Mm>): void {
  const { barriers, core } = record.value;
  if ((barriers & ~allBits(barrierCommands)) !== 0) {
    throw record.invalid('barriers', `registered for 0x${barriers.toString(16)}`, 'ENOSYS');
  }
  if ((core & ~allBits(coreContents)) !== 0) {
    throw record.invalid('core', `bits 0x${core.toString(16)}`, 'ENOSYS');
  }
  for (const [name, bit] of Object.entries(barrierCommands)) {
    if ((barriers & bit) === 0) continue;
    scope.call('rights', record, 'membarrier', [bit, 0, 0], { what: `barriers: ${name}` });
  }
  if (core === 0) return;
  const path = { blob: cString('/proc/self/coredump_filter') };
  const args = [AT_FDCWD, path, O_WRONLY_CLOEXEC];
  const fd = scope.call('rights', record, 'openat', args, { what: 'open coredump_filter' });
  const text = encodeText(`0x${(core ^ coreDefault).toString(16)}`);
  scope.call('rights', record, 'write', [fd, { blob: text }, text.length], {
    failure: 'warn',
    what: 'what is in a core file (coredump_filter)',
  });
  close(scope, 'rights', record, fd);
}
