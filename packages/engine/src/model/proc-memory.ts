import { deviceText } from './device.ts';
import type { ModelProcess } from './process.ts';
import { permissionsOf, type Vma } from './vma.ts';

/** Column at which maps shows names. */
const nameColumn = 73;

/** What stands behind a mapping in /proc/PID/maps (fs/proc/task_mmu.c, get_vma_name). */
function nameOf(process: ModelProcess, vma: Vma): string {
  const { backing, name, start, end } = vma;
  const { brk, startBrk, startStack } = process.mm;
  if (backing.kind === 'kernel') return backing.name;
  if (backing.kind === 'object') {
    const own = backing.object.mapName();
    return name === '' ? own : `[anon_shmem:${name}]`;
  }
  if (start < brk && end > startBrk) return '[heap]';
  if (start <= startStack && end >= startStack) return '[stack]';
  return name === '' ? '' : `[anon:${name}]`;
}

const hex = (value: bigint): string => value.toString(16).padStart(8, '0');

function line(process: ModelProcess, vma: Vma): string {
  const { backing, start, end } = vma;
  const object = backing.kind === 'object' ? backing : undefined;
  const place = `${hex(start)}-${hex(end)} ${permissionsOf(vma)} ${hex(object?.offset ?? 0n)}`;
  const file = object?.object;
  const device = deviceText(file?.device ?? 0n);
  const text = `${place} ${device} ${(file?.inode ?? 0n).toString()} `;
  // The kernel escapes what would break the line.
  const name = nameOf(process, vma).replaceAll('\n', '\\012');
  return name === '' ? text : text.padEnd(nameColumn) + name;
}

export function mapsText(process: ModelProcess): string {
  return process.space.vmas.map((vma) => `${line(process, vma)}\n`).join('');
}

const kibibytes = (pages: number): string => `${String(pages * 4).padStart(8)} kB`;

export function smapsText(process: ModelProcess): string {
  const { space } = process;
  const own = space.ownPages({ start: 0n, end: 1n << 64n });
  let at = 0;
  const entries = space.vmas.map((vma) => {
    const first = at;
    while (at < own.length && (own[at] ?? 0n) < vma.end) at++;
    const pages = Number((vma.end - vma.start) / 4096n);
    const flags = [...vma.flags].sort().join(' ');
    return (
      `${line(process, vma)}\nSize:           ${kibibytes(pages)}\n` +
      `Anonymous:      ${kibibytes(at - first)}\nVmFlags: ${flags} \n`
    );
  });
  return entries.join('');
}
