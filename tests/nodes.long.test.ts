import { dirname, join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { nodeBinary, nodeMajors } from './support/nodes.ts';
import { run } from './support/run.ts';
import { top } from './support/tree.ts';

/** Real programs, through the command: what differs between versions of Node shows there. */
const live = ['c-programs', 'library', 'node', 'scripts'].map(
  (name) => `tests/live/${name}.kernel.test.ts`,
);

describe('every live test of real programs', () => {
  it.each(nodeMajors)('passes under Node %i', (major) => {
    const node = nodeBinary(major);
    expect(run([node, '--version'])).toMatch(new RegExp(`^v${String(major)}\\.`));
    run(
      [node, join('node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'kernel', ...live],
      {
        cwd: top,
        env: {
          // Whatever a test starts by name is of this version too.
          PATH: `${dirname(node)}:${process.env.PATH ?? ''}`,
          CKPT_TALLY: `kernel-node${String(major)}`,
        },
        timeoutMs: 600_000,
      },
    );
  });
});
