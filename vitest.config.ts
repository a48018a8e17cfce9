import { defineConfig } from 'vitest/config';

/** Tests import src, not dist: "@ckpt/source" is the first entry of each package's exports map. */
const conditions = ['@ckpt/source'];

const live = ['**/*.kernel.test.ts'];
const long = ['**/*.long.test.ts'];
const anywhere = ['{packages,apps}/*/src/**/*.test.ts', 'bench/**/*.test.ts'];

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: anywhere, exclude: [...live, ...long, '**/node_modules/**'] },
      },
      {
        extends: true,
        // One file at a time: live tests share the machine's pids, ports and two cores.
        test: { name: 'kernel', include: live, pool: 'forks', fileParallelism: false, testTimeout: 60_000 },
      },
      {
        extends: true,
        test: { name: 'long', include: long, pool: 'forks', fileParallelism: false, testTimeout: 600_000 },
      },
    ],
  },
});
