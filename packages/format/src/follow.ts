import type { Follower, RecordType, Struct } from './struct.ts';

/** An ARRAY follows. */
export function array(element: Struct<unknown>, doc: string): Follower {
  return { kind: 'array', element, doc, optional: false };
}

/** A record of raw bytes follows: "BUFFER", "STRING", "FILE_NAME". */
export function payload(name: string, doc: string): Follower {
  return { kind: 'payload', name, doc, optional: false };
}

/** Another record follows, or several. */
export function after(record: RecordType<unknown>, doc: string): Follower {
  return { kind: 'record', record, doc, optional: false };
}

/** It may be absent. */
export function maybe(follower: Follower): Follower {
  return { ...follower, optional: true };
}
