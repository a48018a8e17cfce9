import { bytes, u32 } from '../field.ts';
import { byteSize, uuid } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

export const Identity = record('IDENTITY', 802, 'Which image this is, and of which boot.', {
  uuid: bytes(16, 'random UUID of this image (RFC 9562)', uuid),
  parent: bytes(16, 'UUID of the image that this one adds to; zero for a full image', uuid),
  boot_id: bytes(16, '/proc/sys/kernel/random/boot_id of the machine', uuid),
  page_size: u32('bytes of a page of the target', byteSize),
  alignment: u32(
    'bytes; the payload of each PAGES record begins at a multiple of it, from the first byte of the image',
    byteSize,
  ),
});
export type Identity = Infer<typeof Identity>;
