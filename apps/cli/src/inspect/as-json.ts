import { CkptError, type Described } from '@ckpt/format';
import type { Cli } from '../cli.ts';
import { asJson } from '../failure.ts';
import type { Listed, Listing } from './listing.ts';

function fieldsJson(fields: readonly Described[]): Record<string, unknown> {
  const shown = fields.filter(({ reserved }) => !reserved);
  return Object.fromEntries(shown.map(({ name, json, text }) => [name, { value: json, text }]));
}

/** One record on a line of its own; its elements are printed while they are read. */
function printRecord(cli: Cli, record: Listed): void {
  const { position, length, type, name, depth, fields, elements, text } = record;
  const about = { position, length, type, name, depth, fields: fieldsJson(fields) };
  cli.print(JSON.stringify({ ...about, ...(text === undefined ? {} : { text }) }).slice(0, -1));
  let opened = false;
  for (const element of elements) {
    cli.print(`${opened ? ',' : ',"elements":['}${JSON.stringify(fieldsJson(element))}`);
    opened = true;
  }
  cli.print(opened ? ']}' : '}');
}

/**
 * One object: `file`, `records`, then what is known at the end, with the defect if there is one.
 * @throws CkptError the defect, when the object is complete.
 */
export function printJson(cli: Cli, file: string, listing: Listing): void {
  cli.print(`{"file":${JSON.stringify(file)},"records":[`);
  let defect: CkptError | undefined;
  let separator = '\n';
  try {
    for (const record of listing.records()) {
      cli.print(separator);
      separator = ',\n';
      printRecord(cli, record);
    }
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    defect = error;
  }
  const { revision, whole, length, followed } = listing;
  const error = defect === undefined ? {} : { error: asJson(defect) };
  cli.print(`\n],${JSON.stringify({ revision, length, whole, followed, ...error }).slice(1)}\n`);
  if (defect !== undefined) throw defect;
}
