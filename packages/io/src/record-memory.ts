import { CkptError } from '@ckpt/format';

/** Bytes of `struct ckpt_hdr { u32 type; u32 len }`, which opens every record. */
export const headerLength = 8;

/** The largest number a u32 holds: the longest record, and the last type. */
export const u32Max = 0xffff_ffff;

/**
 * Zero-filled memory for a record, `length` in bytes with its header.
 * @throws CkptError EINVAL for no length; ENOMEM when there is not so much.
 */
export function ckptHdrGet(length: number): Uint8Array {
  if (!Number.isInteger(length) || length < 0 || length > u32Max) {
    throw new CkptError('EINVAL', `length is ${length}, not an integer from 0 to ${u32Max}`);
  }
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new CkptError('ENOMEM', `no memory for a record of ${length} bytes`, { cause });
  }
}

/**
 * The same with its header filled in.
 * @throws CkptError EINVAL when the header does not fit or the type is no u32; ENOMEM.
 */
export function ckptHdrGetType(length: number, type: number): Uint8Array {
  if (length < headerLength) {
    throw new CkptError('EINVAL', `a record of ${length} bytes has no room for its header`);
  }
  if (!Number.isInteger(type) || type < 0 || type > u32Max) {
    throw new CkptError('EINVAL', `type is ${type}, not an integer from 0 to ${u32Max}`);
  }
  const record = ckptHdrGet(length);
  const view = new DataView(record.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  return record;
}

/** Gives record memory back. Nothing is left to do where memory is collected: for ported code. */
export const ckptHdrPut: (record: Uint8Array) => void = () => undefined;
