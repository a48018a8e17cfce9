import {
  ArrayHeader,
  recordKind,
  type Follower,
  type Random,
  type RecordType,
  type Struct,
} from '@ckpt/format';
import {
  encodeBaseImage,
  readBaseImage,
  readMetadata,
  readOpening,
  verifyImage,
} from '@ckpt/engine';
import { ckptReadObj, ckptWriteObj, decodeText, MemoryFile, type Stream } from '@ckpt/io';
import { Failure, overValues, type Campaign } from '../campaign.ts';
import { baseContent, type BaseContent } from '../images/base-image.ts';
import { processImage } from '../images/process-image.ts';
import { arrayRecord, split, typeOf } from '../images/records.ts';

/** What is written, read, and written again. */
export type Trip =
  | { readonly kind: 'base'; readonly content: BaseContent }
  | { readonly kind: 'process'; readonly image: Uint8Array };

/** Encodes what was decoded. */
export type Recode = (struct: Struct<unknown>, bytes: Uint8Array) => Uint8Array;

const recode: Recode = (struct, bytes) => struct.encode(struct.decode(bytes));

function mustEqual(what: string, first: Uint8Array, second: Uint8Array): void {
  const length = Math.max(first.length, second.length);
  for (let at = 0; at < length; at++) {
    if (first[at] === second[at]) continue;
    const values = `${first[at] ?? 'nothing'} and ${second[at] ?? 'nothing'}`;
    throw new Failure(`${what} differs`, `${what}: byte ${at} of ${first.length} is ${values}`);
  }
}

/** Revision 3 through its own writer and reader. */
function tryBase({ writer, task }: BaseContent): void {
  const first = encodeBaseImage(writer, task);
  const stream: Stream = { file: new MemoryFile(first), total: 0 };
  const opening = readOpening(stream);
  const back = readBaseImage(stream, opening);
  const { header, release, version, machine } = opening;
  const second = encodeBaseImage(
    {
      uts: {
        release: decodeText(release),
        version: decodeText(version),
        machine: decodeText(machine),
      },
      kernel: [header.major, header.minor, header.patch],
      time: header.time,
    },
    back,
  );
  mustEqual('image of revision 3', first, second);
}

/** Any image, a record at a time. */
function copyRecords(image: Uint8Array): void {
  const stream: Stream = { file: new MemoryFile(image), total: 0 };
  const copy = { file: new MemoryFile(), total: 0 };
  while (stream.total < image.length) ckptWriteObj(copy, ckptReadObj(stream, 0, 0));
  mustEqual('image copied by records', image, copy.file.bytes);
}

const elementOf = (follower: Follower): Struct<unknown> | undefined =>
  follower.kind === 'array' ? follower.element : undefined;

/** Elements of an ARRAY, of the struct among these whose size they have. */
function recodeArray(record: Uint8Array, owner: RecordType<unknown>, how: Recode): void {
  const { element_size: size, count } = ArrayHeader.decode(record.subarray(0, ArrayHeader.size));
  const struct = owner.follows.map(elementOf).find((element) => element?.size === size);
  if (struct === undefined) return;
  const values = Array.from({ length: count }, (_, index) => {
    const start = ArrayHeader.size + index * size;
    const element = record.subarray(start, start + size);
    mustEqual(`element of ${owner.name}`, element, how(struct, element));
    return struct.decode(element);
  });
  mustEqual(`ARRAY of ${owner.name}`, record, arrayRecord(struct, values));
}

/** Every record of an image, through its declaration. */
function recodeRecords(image: Uint8Array, how: Recode): void {
  let owner: RecordType<unknown> | undefined;
  for (const bytes of split(image)) {
    const { record } = recordKind(typeOf(bytes), 100) ?? {};
    if (record === undefined) continue;
    if (record.type === ArrayHeader.type) {
      if (owner !== undefined) recodeArray(bytes, owner, how);
    } else {
      owner = record;
      // PAGES holds its payload in the same record.
      const own = bytes.subarray(0, record.size);
      const again = how(record, own);
      if (record.size < bytes.length) again.set(own.subarray(4, 8), 4);
      mustEqual(record.name, own, again);
    }
  }
}

/** Revision 100: all readers take it, and every record comes back. */
function tryProcess(image: Uint8Array, how: Recode): void {
  const { length } = verifyImage(new MemoryFile(image));
  if (length !== image.length) {
    throw new Failure('length of an image', `${length} of ${image.length} bytes were read`);
  }
  const stream: Stream = { file: new MemoryFile(image), total: 0 };
  const { document } = readMetadata(stream, readOpening(stream));
  const metadata = image.subarray(0, stream.total);
  for (const bytes of split(metadata)) {
    const { record } = recordKind(typeOf(bytes), 100) ?? {};
    if (record === undefined || record.type === ArrayHeader.type) continue;
    const at = bytes.byteOffset - image.byteOffset;
    const found = document.all(record).find(({ position }) => position === at);
    if (found !== undefined) mustEqual(`${record.name} read`, bytes, record.encode(found.value));
  }
  copyRecords(image);
  recodeRecords(image, how);
}

/** Valid images of both revisions: written, read, written again, the same bytes. */
export function roundTrip(how: Recode = recode): Campaign<Trip> {
  return overValues({
    name: 'round-trip',
    doc: 'valid images of both revisions: written, read and written again, the same bytes',
    make: (random: Random) =>
      random() & 1
        ? { kind: 'process', image: processImage(random) }
        : { kind: 'base', content: baseContent(random) },
    run(trip) {
      if (trip.kind === 'base') tryBase(trip.content);
      else tryProcess(trip.image, how);
    },
    image: (trip) =>
      trip.kind === 'process'
        ? trip.image
        : encodeBaseImage(trip.content.writer, trip.content.task),
  });
}
