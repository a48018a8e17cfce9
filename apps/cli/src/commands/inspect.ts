import type { Command } from 'commander';
import { CkptError, type Described } from '@ckpt/format';
import { openImage } from '@ckpt/io/node';
import { fail } from '../failure.ts';
import { Listing, type Listed } from '../image-listing.ts';
import { withCommon, type Common } from '../options.ts';
import { escape, sizeText, style } from '../terminal.ts';

interface Options extends Common {
  readonly all?: true;
}

/** Elements of one array that are shown without --all. */
const elementsShown = 8;

const visible = (fields: readonly Described[]) => fields.filter((field) => !field.reserved);

/** "name value  name value": the fields of a record on one line. */
function oneLine(fields: readonly Described[]): string {
  return visible(fields)
    .map(({ name, text }) => `${style.dim(name)} ${text}`)
    .join('  ');
}

function head({ position, length, name, follows }: Listed): string {
  const where = style.dim(`0x${position.toString(16).padStart(6, '0')}`);
  const indent = follows ? '    ' : '  ';
  return `${where}${indent}${follows ? name : style.bold(name)} ${style.dim(sizeText(length))}`;
}

/** More fields than fit on a line stand below the record, one a line. */
const inlineMax = 4;

function print(record: Listed, all: boolean): void {
  const fields = visible(record.fields);
  const text = record.text === undefined ? '' : `  ${record.text}`;
  const inline = fields.length <= inlineMax ? `  ${oneLine(fields)}` : '';
  console.log(`${head(record)}${text}${inline}`);
  if (inline === '') {
    const width = Math.max(...fields.map(({ name }) => name.length));
    for (const { name, text: value } of fields) {
      console.log(`            ${style.dim(name.padEnd(width))}  ${value}`);
    }
  }
  const most = all ? record.elements.length : elementsShown;
  for (const [index, element] of record.elements.slice(0, most).entries()) {
    console.log(`              ${style.dim(`[${index}]`)} ${oneLine(element)}`);
  }
  if (record.elements.length > most) {
    console.log(`              ${style.dim(`... ${record.elements.length - most} more: --all`)}`);
  }
}

const jsonFields = (fields: readonly Described[]) =>
  Object.fromEntries(visible(fields).map(({ name, json, text }) => [name, { value: json, text }]));

function toJson(record: Listed): Record<string, unknown> {
  const { position, length, type, name, follows, fields, elements, text } = record;
  return {
    position,
    length,
    type,
    name,
    follows,
    fields: jsonFields(fields),
    ...(elements.length === 0 ? {} : { elements: elements.map(jsonFields) }),
    ...(text === undefined ? {} : { text }),
  };
}

function listJson(path: string, listing: Listing): void {
  process.stdout.write(`{"file":${JSON.stringify(path)},"records":[`);
  let first = true;
  let defect: CkptError | undefined;
  try {
    for (const record of listing.records()) {
      process.stdout.write(`${first ? '' : ','}\n${JSON.stringify(toJson(record))}`);
      first = false;
    }
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    defect = error;
  }
  const { revision, whole, length } = listing;
  const error =
    defect === undefined ? {} : { error: { errno: defect.code, message: defect.message } };
  process.stdout.write(`\n],${JSON.stringify({ revision, length, whole, ...error }).slice(1)}\n`);
  if (defect !== undefined) process.exitCode = 1;
}

function listText(path: string, listing: Listing, all: boolean): void {
  console.log(style.bold(escape(path)));
  for (const record of listing.records()) print(record, all);
  const end = listing.whole ? 'whole' : style.red('without TAIL: it is not whole');
  console.log(`revision ${listing.revision}, ${sizeText(listing.length)}, ${end}`);
  if (!listing.whole) process.exitCode = 1;
}

export function inspect(path: string, options: Options): void {
  const image = openImage(path);
  try {
    const listing = new Listing(image);
    if (options.json) listJson(path, listing);
    else listText(path, listing, options.all ?? false);
  } catch (error) {
    fail(error, options.json ?? false);
  } finally {
    image.close();
  }
}

export function addInspect(program: Command): void {
  withCommon(
    program
      .command('inspect')
      .summary('show what is inside an image')
      .description(
        'Shows every record of an image with its position, length and fields, in their own\n' +
          'notation. Nothing is restarted, and no check but that of the framing is made: see verify.',
      )
      .argument('<file>', 'image')
      .option('-a, --all', 'show all elements of long arrays'),
  ).action(inspect);
}
