import Cli from 'cli-table3';
import { style } from './terminal.ts';

/** A table without lines, for people. */
export class Table {
  readonly #table: Cli.Table;

  constructor(head: readonly string[]) {
    const none = Object.fromEntries(
      [
        'top',
        'top-mid',
        'top-left',
        'top-right',
        'bottom',
        'bottom-mid',
        'bottom-left',
        'bottom-right',
        'left',
        'left-mid',
        'mid',
        'mid-mid',
        'right',
        'right-mid',
      ].map((part) => [part, '']),
    );
    this.#table = new Cli({
      head: head.map((text) => style.dim(text)),
      chars: { ...none, middle: '  ' },
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    });
  }

  add(row: readonly string[]): void {
    this.#table.push([...row]);
  }

  text(): string {
    return this.#table.toString();
  }
}
