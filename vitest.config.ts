import { defineConfig } from 'vitest/config';

/** Tests import src, not dist: "@ckpt/source" is the first entry of each package's exports map. */
const conditions = ['@ckpt/source'];

const live = '**/*.kernel.test.ts';
const long = '**/*.long.test.ts';
const never = ['**/node_modules/**', '**/dist/**'];

/** Live tests mostly wait: three files at once, each in a process of its own that it may trace from. */
const few = { pool: 'forks', maxWorkers: 3 } as const;
const alone = { pool: 'forks', fileParallelism: false } as const;

/** Name of this run for scripts/summary.js; runs by hand leave no trace. */
const tally = process.env.CKPT_TALLY;

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    slowTestThreshold: 10_000,
    reporters: tally === undefined ? ['default'] : ['default', './scripts/tally.js'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,apps}/*/src/**/*.test.ts'],
          exclude: [live, long, ...never],
          // They leave nothing behind; importing everything anew for each file takes as long as testing it.
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        // What the repository promises as a whole; needs what `build` makes.
        extends: true,
        test: {
          name: 'house',
          include: ['tests/**/*.test.ts'],
          exclude: [live, long, ...never],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: { name: 'kernel', include: [live], exclude: never, ...few, testTimeout: 180_000 },
      },
      {
        extends: true,
        test: { name: 'long', include: [long], exclude: never, ...alone, testTimeout: 900_000 },
      },
    ],
  },
});
