import type { ImageRecord, Value } from '@ckpt/engine';
import type { File } from '@ckpt/format';
import type { Restoring } from './descriptor.ts';

/** Offsets are signed; a directory's is whatever its file system wants (telldir(3)). */
const offsetMax = 0x7fff_ffff_ffff_ffffn;

/** Plans the offset of a description that stands at its start. */
export function seek({ scope }: Restoring, file: ImageRecord<File>, fd: Value): void {
  const { position } = file.value;
  if (position === 0n) return;
  if (position > offsetMax) {
    throw file.invalid('position', `${position.toString()} is no offset of a file`);
  }
  scope.call('descriptors', file, 'lseek', [fd, position, 0], {
    expect: position,
    what: `offset ${position.toString()} of a file`,
  });
}
