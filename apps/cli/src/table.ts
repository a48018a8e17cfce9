import Cli from 'cli-table3';

const parts = ['top', 'bottom', 'left', 'right', 'mid'];
const joints = ['-mid', '-left', '-right', '-mid-mid'];
/** No lines: names of all that cli-table3 draws, empty. */
const none = Object.fromEntries(
  parts.flatMap((part) => [part, ...joints.map((joint) => `${part}${joint}`)]).map((k) => [k, '']),
);

/** A table without lines, for people. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const table = new Cli({
    chars: { ...none, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) table.push([...row]);
  const lines = table.toString().split('\n');
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}
