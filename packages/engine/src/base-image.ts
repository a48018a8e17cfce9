import {
  CHECKPOINT_MAGIC_TAIL,
  CkptError,
  Container,
  Tail,
  Task,
  TASK_COMM_LEN,
} from '@ckpt/format';
import { _ckptReadString, ckptReadObjType, ckptWriteObj, ckptWriteString } from '@ckpt/io';
import type { Stream } from '@ckpt/io';
import { inRecord, writeOpening, type Opening, type Writer } from './image-opening.ts';
import { RecordWriter } from './record-writer.ts';

/** What an image of revision 3 says of its task. */
export interface BaseTask {
  readonly task: Task;
  /** 16 bytes: the name, then zeros. */
  readonly comm: Uint8Array;
}

/** The name up to its first NUL, and zeros: nothing of what stood there before leaks. */
export function commField(name: Uint8Array): Uint8Array {
  const field = new Uint8Array(TASK_COMM_LEN);
  const nul = name.indexOf(0);
  const end = Math.min(nul < 0 ? name.length : nul, TASK_COMM_LEN - 1);
  field.set(name.subarray(0, end));
  return field;
}

/**
 * Writes an image of revision 3, 363 bytes.
 *
 *     HEADER 56 | BUFFER 73 x 3 | CONTAINER 8 | TASK 40 | STRING 24 | TAIL 16
 *
 * @throws CkptError as write(2).
 */
export function writeBaseImage(stream: Stream, writer: Writer, { task, comm }: BaseTask): void {
  writeOpening(stream, writer, 3);
  ckptWriteObj(stream, Container.encode({}));
  ckptWriteObj(stream, Task.encode(task));
  ckptWriteString(stream, commField(comm));
  ckptWriteObj(stream, Tail.encode({ magic: CHECKPOINT_MAGIC_TAIL }));
}

/** The same in memory. */
export function encodeBaseImage(writer: Writer, task: BaseTask): Uint8Array {
  const records = new RecordWriter();
  writeBaseImage(records.stream(), writer, task);
  return records.bytes();
}

/** Reads the TAIL. @throws CkptError EINVAL without its magic; EPIPE, EIO. */
function readTail(stream: Stream): void {
  const { magic } = Tail.decode(
    inRecord('TAIL', () => ckptReadObjType(stream, Tail.size, Tail.type)),
  );
  if (magic === CHECKPOINT_MAGIC_TAIL) return;
  const options = { position: stream.total, path: ['TAIL'], type: Tail.type, field: 'magic' };
  throw new CkptError('EINVAL', `the tail has the magic 0x${magic.toString(16)}`, options);
}

/**
 * Reads what follows the opening of an image of revision 3, to its end: nothing is done with it
 * before its tail was read.
 * @throws CkptError EINVAL for another record or length; EPIPE when it ends early; EIO with its
 * text for an ERROR record.
 */
export function readBaseImage(stream: Stream, opening: Opening): BaseTask {
  if (opening.revision !== 3) throw new Error('an opening of another revision');
  inRecord('CONTAINER', () => ckptReadObjType(stream, Container.size, Container.type));
  const bytes = inRecord('TASK', () => ckptReadObjType(stream, Task.size, Task.type));
  const comm = new Uint8Array(TASK_COMM_LEN);
  inRecord('comm', () => {
    _ckptReadString(stream, comm);
  });
  readTail(stream);
  return { task: Task.decode(bytes), comm };
}
