import {
  CHECKPOINT_MAGIC_HEAD,
  CHECKPOINT_VERSION,
  CHECKPOINT_VERSION_PROCESS,
  CkptError,
  Header,
  TASK_COMM_LEN,
  UTS_FIELD_LEN,
} from '@ckpt/format';
import { _ckptReadBuffer, ckptReadObjType, ckptWriteBuffer, ckptWriteObj } from '@ckpt/io';
import { encodeText, type Stream } from '@ckpt/io';
import type { System } from './system.ts';
import { rawRecord } from './record-writer.ts';

/** Major, minor, patch. */
export type KernelVersion = readonly [major: number, minor: number, patch: number];

export type Revision = 3 | 100;

/** What an image tells of the machine that wrote it. */
export type Writer = Pick<System, 'uts' | 'kernel' | 'time'>;

/** What opens every image: HEADER and three BUFFER records. */
export interface Opening {
  readonly revision: Revision;
  readonly header: Header;
  /** 65 bytes each. */
  readonly release: Uint8Array;
  readonly version: Uint8Array;
  readonly machine: Uint8Array;
  /** The records as they stand in the image. */
  readonly records: readonly Uint8Array[];
}

/** A uts field: at most 64 bytes, NUL padded. */
function utsField(text: string): Uint8Array {
  const field = new Uint8Array(UTS_FIELD_LEN);
  field.set(encodeText(text).subarray(0, UTS_FIELD_LEN - 1));
  return field;
}

/** HEADER of an image written on this machine. */
function headerOf({ kernel, time }: Writer, revision: Revision): Header {
  const [major, minor, patch] = kernel;
  return {
    magic: CHECKPOINT_MAGIC_HEAD,
    _padding: 0,
    major,
    minor,
    patch,
    rev: revision,
    _hole: new Uint8Array(6),
    task_comm_len: TASK_COMM_LEN,
    uts_release_len: UTS_FIELD_LEN,
    uts_version_len: UTS_FIELD_LEN,
    uts_machine_len: UTS_FIELD_LEN,
    time,
    uflags: 0n,
  };
}

/** Writes HEADER and the three BUFFER records: 275 bytes. @throws CkptError as write(2). */
export function writeOpening(stream: Stream, writer: Writer, revision: Revision): void {
  ckptWriteObj(stream, Header.encode(headerOf(writer, revision)));
  for (const text of [writer.uts.release, writer.uts.version, writer.uts.machine]) {
    ckptWriteBuffer(stream, utsField(text));
  }
}

/** Sizes of the kernel that wrote the image, and what they must be. */
const constants = [
  ['task_comm_len', TASK_COMM_LEN],
  ['uts_release_len', UTS_FIELD_LEN],
  ['uts_version_len', UTS_FIELD_LEN],
  ['uts_machine_len', UTS_FIELD_LEN],
] as const;

/** What is wrong with a header, in the order and the words of the base; better words follow. */
function complaint(
  header: Header,
  kernel: KernelVersion | undefined,
): readonly [sentence: string, field: string] | undefined {
  const version = 'incompatible kernel version';
  const { magic, rev, major, minor, patch, uflags } = header;
  if (magic !== CHECKPOINT_MAGIC_HEAD) {
    return [`${version}: not a checkpoint image (magic 0x${magic.toString(16)})`, 'magic'];
  }
  if (rev !== CHECKPOINT_VERSION && rev !== CHECKPOINT_VERSION_PROCESS) {
    return [`${version}: revision ${rev} of the format is not supported (3 and 100 are)`, 'rev'];
  }
  if (rev === CHECKPOINT_VERSION && kernel !== undefined) {
    const found = [major, minor, patch];
    const bad = (['major', 'minor', 'patch'] as const).find((_, i) => found[i] !== kernel[i]);
    if (bad !== undefined) {
      return [`${version}: the image is of ${found.join('.')}, not ${kernel.join('.')}`, bad];
    }
  }
  if (uflags !== 0n) {
    return [`incompatible restart user flags: 0x${uflags.toString(16)}, not 0`, 'uflags'];
  }
  for (const [name, due] of constants) {
    if (header[name] === due) continue;
    return [`incompatible kernel constants: ${name} ${header[name]}, not ${due}`, name];
  }
  return undefined;
}

function readUts(stream: Stream, name: string): Uint8Array {
  const field = new Uint8Array(UTS_FIELD_LEN);
  inRecord(name, () => _ckptReadBuffer(stream, field));
  return field;
}

/** Runs a reader; its errors tell that they are of this record. */
export function inRecord<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof CkptError ? error.within(name) : error;
  }
}

/**
 * Reads what opens every image, which tells its revision. A kernel version is compared for
 * revision 3 alone.
 * @throws CkptError EINVAL for what is no image, or one for somebody else; EPIPE, EIO as io says.
 */
export function readOpening(stream: Stream, kernel?: KernelVersion): Opening {
  const bytes = inRecord('HEADER', () => ckptReadObjType(stream, Header.size, Header.type));
  const header = Header.decode(bytes);
  const wrong = complaint(header, kernel);
  if (wrong !== undefined) {
    const [sentence, field] = wrong;
    const options = { position: stream.total, path: ['HEADER'], type: Header.type, field };
    throw new CkptError('EINVAL', sentence, options);
  }
  const release = readUts(stream, 'release');
  const version = readUts(stream, 'version');
  const machine = readUts(stream, 'machine');
  const buffers = [release, version, machine].map((field) => rawRecord(3, field));
  return {
    revision: header.rev === CHECKPOINT_VERSION_PROCESS ? 100 : 3,
    header,
    release,
    version,
    machine,
    records: [bytes, ...buffers],
  };
}
