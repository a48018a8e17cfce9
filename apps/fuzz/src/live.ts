import type { Result } from './run/here.ts';

/** What goes on, for whoever looks on. */
export interface Progress {
  readonly campaign: string;
  readonly executions: number;
  readonly findings: number;
  readonly ms: number;
}

/** Between two looks, milliseconds. */
const lookMs = 200;

const plural = (count: number, what: string): string =>
  `${count === 0 ? 'no' : count} ${what}${count === 1 ? '' : 's'}`;

/** "decode        123,456 executions   20,576/s   no findings   6.0 s" */
export function lineOf({ campaign, executions, findings, ms }: Progress): string {
  const perSecond = Math.round(executions / Math.max(ms / 1000, 0.001));
  const cells = [
    campaign.padEnd(13),
    `${executions.toLocaleString('en-US')} executions`.padStart(22),
    `${perSecond.toLocaleString('en-US')}/s`.padStart(10),
    plural(findings, 'finding').padStart(12),
    `${(ms / 1000).toFixed(1)} s`.padStart(9),
  ];
  return cells.join('  ');
}

export const progressOf = (result: Result): Progress => ({
  ...result,
  findings: result.findings.length,
});

/** A stream as far as it is needed here. */
interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Statistics that change while they are looked at: on a terminal alone; elsewhere the last line. */
export class Live {
  readonly #screen: Screen;
  #timer: NodeJS.Timeout | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Follows a campaign until its end is told. */
  begin(look: () => Progress): void {
    if (this.#screen.isTTY !== true) return;
    this.#timer = setInterval(() => {
      this.#screen.write(`\r\x1b[K${lineOf(look())}`);
    }, lookMs);
  }

  end(last: Progress): void {
    this.quit();
    this.#screen.write(`${lineOf(last)}\n`);
  }

  /** No more lines of this campaign. */
  quit(): void {
    clearInterval(this.#timer);
    if (this.#screen.isTTY === true) this.#screen.write('\r\x1b[K');
  }
}
