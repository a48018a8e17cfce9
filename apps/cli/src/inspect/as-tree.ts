import { escapeText, type Described } from '@ckpt/format';
import type { Cli, Style } from '../cli.ts';
import { exactSize } from '../quantities.ts';
import type { Listed, Listing } from './listing.ts';

/** Elements of one array that are shown without --all. */
const elementsShown = 8;

/** Where records stand behind their position, and what is below them behind that. */
const gutter = 12;
const step = 4;

/** Characters of a line for its text, however deep it stands. */
const narrowest = 40;

const shown = (fields: readonly Described[]) => fields.filter(({ reserved }) => !reserved);

/** Items on as few lines of `width` characters as they fit on. */
function wrap(items: readonly { text: string; width: number }[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const item of items) {
    if (used > 0 && used + 2 + item.width > width) {
      lines.push(line);
      line = '';
      used = 0;
    }
    line += used === 0 ? item.text : `  ${item.text}`;
    used += used === 0 ? item.width : 2 + item.width;
  }
  return used === 0 ? lines : [...lines, line];
}

/** Characters of fields on one line. */
const plainWidth = (fields: readonly Described[]): number =>
  shown(fields).reduce((sum, { name, text }) => sum + name.length + 1 + text.length + 2, -2);

export interface TreeOptions {
  readonly all?: true;
  readonly verbose?: true;
}

/** Prints records of one image. */
class Tree {
  readonly #cli: Cli;
  readonly #style: Style;
  readonly #options: TreeOptions;

  constructor(cli: Cli, options: TreeOptions) {
    this.#cli = cli;
    this.#style = cli.out;
    this.#options = options;
  }

  #below(depth: number, lines: readonly string[]): void {
    const indent = ' '.repeat(gutter + step * (depth + 1));
    for (const line of lines) this.#cli.print(`${indent}${line}\n`);
  }

  /** "name value  name value", wrapped. */
  #compact(fields: readonly Described[], depth: number, first = ''): string[] {
    const { dim } = this.#style;
    const items = shown(fields).map(({ name, text }) => ({
      text: `${dim(name)} ${text}`,
      width: name.length + 1 + text.length,
    }));
    const all = first === '' ? items : [{ text: dim(first), width: first.length }, ...items];
    return wrap(all, Math.max(narrowest, this.#cli.width - gutter - step * (depth + 1)));
  }

  /** A line for each field, with its meaning. */
  #wordy(fields: readonly Described[]): string[] {
    const { dim } = this.#style;
    const width = Math.max(...fields.map(({ name }) => name.length));
    return shown(fields).map(
      ({ name, text, doc }) => `${dim(name.padEnd(width))}  ${text}  ${dim(doc)}`,
    );
  }

  record(record: Listed): void {
    const { position, length, name, depth, doc, fields, text } = record;
    const { bold, dim } = this.#style;
    const where = dim(`0x${position.toString(16)}`.padStart(gutter - 2));
    const title = `${' '.repeat(step * depth)}${depth === 0 ? bold(name) : name}`;
    const size = exactSize(length);
    const { verbose = false } = this.#options;
    const said = [text ?? [], verbose ? dim(doc) : []].flat();
    const lines = verbose ? this.#wordy(fields) : this.#compact(fields, depth);
    const used = gutter + step * depth + name.length + 2 + size.length + 2;
    const room = this.#cli.width - used;
    // What fits beside the name stands there.
    if (!verbose && lines.length === 1 && plainWidth(fields) <= room) said.push(...lines.splice(0));
    this.#cli.print(`${[`${where}  ${title}`, dim(size), ...said].join('  ')}\n`);
    this.#below(depth, lines);
    this.#elements(record);
  }

  #elements({ elements, depth, fields }: Listed): void {
    const most = this.#options.all ? Infinity : elementsShown;
    let index = 0;
    for (const element of elements) {
      if (index === most) {
        const count = Number(fields.find(({ name }) => name === 'count')?.value ?? 0);
        this.#below(depth, [this.#style.dim(`... and ${count - index} more: --all`)]);
        return;
      }
      this.#below(depth, this.#compact(element, depth, `[${index}]`));
      index++;
    }
  }
}

/** @throws CkptError the first defect, after all that is there before it. */
export function printTree(cli: Cli, file: string, listing: Listing, options: TreeOptions): void {
  const tree = new Tree(cli, options);
  cli.print(`${cli.out.bold(escapeText(file))}\n`);
  for (const record of listing.records()) tree.record(record);
  const more = listing.followed ? ', and more behind it' : '';
  cli.print(`revision ${listing.revision}, ${exactSize(listing.length)}, whole${more}\n`);
}
