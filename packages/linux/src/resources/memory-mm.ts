import type { ImageRecord, RestoreScope } from '@ckpt/engine';
import { CKPT_HDR_BUFFER, Path, type Mm } from '@ckpt/format';
import { placeOf } from './path-map.ts';
import { O_CLOEXEC, close, openPath, scratchFd } from './path-open.ts';
import { openUnnamed, settleUnnamed } from './unnamed-make.ts';
import { hasDescriptors, isUnnamed, keptFd } from './unnamed-map.ts';

/** prctl(2) */
const PR_SET_MM = 35;
const PR_SET_MM_MAP = 14;
/** struct prctl_mm_map (linux/prctl.h): bytes, and where what follows the addresses is. */
const mapSize = 104;
const auxvOffset = 88;
const auxvSizeOffset = 96;
const exeFdOffset = 100;
/** The link stays as it is. */
const noFd = 0xffff_ffff;

/** Bytes that the kernel keeps of an auxiliary vector; larger than any that it made. */
const auxvMax = 1024;

function mmMap(mm: Mm, auxvSize: number, exeFd: number): Uint8Array {
  const bytes = new Uint8Array(mapSize);
  const view = new DataView(bytes.buffer);
  const words = [
    mm.start_code,
    mm.end_code,
    mm.start_data,
    mm.end_data,
    mm.start_brk,
    mm.brk,
    mm.start_stack,
    mm.arg_start,
    mm.arg_end,
    mm.env_start,
    mm.env_end,
  ];
  for (const [index, word] of words.entries()) view.setBigUint64(index * 8, word, true);
  view.setUint32(auxvSizeOffset, auxvSize, true);
  view.setUint32(exeFdOffset, exeFd, true);
  return bytes;
}

/**
 * Plans what the kernel knows of an address space beside its mappings: heap, arguments, auxiliary
 * vector, and the program behind /proc/PID/exe. The last needs a privilege; without it, the link
 * leads elsewhere and that is said.
 */
export function restoreMm(scope: RestoreScope, record: ImageRecord<Mm>): void {
  const auxv = record.bytesOf(CKPT_HDR_BUFFER);
  if (auxv.length > auxvMax || auxv.length % 16 !== 0) {
    throw record.invalid('auxv', `${auxv.length} bytes of auxiliary vector`);
  }
  const path = scope.document.object(record.value.exe, Path, record);
  const link = scope.system.choosesPids;
  const number = scratchFd(scope) + 1;
  const kept = keptFd(scope, path);
  if (link) {
    if (kept === undefined && isUnnamed(scope, path)) {
      throw path.invalid('flags', 'a program without a name that is not mapped', 'ENOSYS');
    }
    const what = `open ${placeOf(scope, path).name}`;
    const fd =
      kept === undefined
        ? openPath(scope, 'mm', record, path, 0)
        : openUnnamed(scope, 'mm', record, { number: kept, flags: O_CLOEXEC, what });
    scope.call('mm', record, 'dup3', [fd, number, 0o2000000], { expect: number });
    close(scope, 'mm', record, fd);
  } else {
    const { name } = placeOf(scope, path);
    scope.note(`/proc/${scope.pid}/exe will not lead to ${name}: that needs a privilege`);
  }
  const map = {
    blob: mmMap(record.value, auxv.length, link ? number : noFd),
    pointers: [{ offset: auxvOffset, to: auxv }],
  };
  scope.call('mm', record, 'prctl', [PR_SET_MM, PR_SET_MM_MAP, map, mapSize, 0], {
    what: 'set the heap, the arguments and the program of the process',
  });
  if (link) close(scope, 'mm', record, number);
  if (kept !== undefined && !hasDescriptors(scope, path)) settleUnnamed(scope, 'mm', path, kept);
}
