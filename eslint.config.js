// @ts-check
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Who may import whom. A package missing from a list is out of reach. */
const mayImport = {
  format: [],
  io: ['format'],
  log: ['format', 'io'],
  engine: ['format', 'io', 'log'],
  linux: ['format', 'io', 'log', 'engine'],
};

/** The only folders of packages that know Node; koffi lives in the second alone. */
const node = ['packages/io/src/node/**/*.ts', 'packages/linux/src/host/**/*.ts'];
const tests = ['**/*.test.ts', '**/src/testing/**'];

const noKoffi = { regex: '^koffi', message: 'koffi only in packages/linux/src/host.' };
const noNode = {
  regex: '^(node:|fs$|path$|worker_threads$|child_process$)',
  message: 'Node only in io/src/node, linux/src/host and the apps.',
};
const noEntryOfNode = {
  regex: '^@ckpt/(io/node|linux/host)$|/(node|host)/index\\.ts$',
  message: 'This would bring Node into a package that runs in browsers.',
};

/** @param {string} name @param {readonly string[]} allowed */
const onlyBelow = (name, allowed) => ({
  regex: `^@ckpt/(?!(${allowed.join('|')})(/|$))`,
  message: `@ckpt/${name} may import ${allowed.join(', ') || 'nothing of ours'}.`,
});

/** @param {...object} patterns */
const restrict = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

const layers = Object.entries(mayImport).flatMap(([name, allowed]) => [
  {
    name: `layers/${name}`,
    files: [`packages/${name}/src/**/*.ts`],
    ignores: [...tests, ...node],
    rules: {
      ...restrict(onlyBelow(name, allowed), noNode, noEntryOfNode, noKoffi),
      'no-restricted-globals': ['error', 'Buffer', 'process', 'global', 'require', 'setImmediate'],
    },
  },
  {
    name: `layers/${name}/node`,
    files: node.filter((glob) => glob.startsWith(`packages/${name}/`)),
    ignores: tests,
    rules: restrict(onlyBelow(name, allowed), ...(name === 'linux' ? [] : [noKoffi])),
  },
]);

const apps = ['cli', 'fuzz'].map((name) => ({
  name: `layers/${name}`,
  files: [`apps/${name}/src/**/*.ts`],
  rules: restrict(
    { regex: '^@ckpt/(cli|fuzz)', message: 'Apps know nothing of each other.' },
    noKoffi,
  ),
}));

export default defineConfig(
  globalIgnores(['**/dist/', '**/.turbo/', 'reports/']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['**/*.js', 'bench/**'],
    languageOptions: { globals: { console: 'readonly', URL: 'readonly' } },
  },
  // Benches and targets use whatever a program in Node finds.
  {
    files: ['bench/*.mjs', '**/programs/*.mjs'],
    rules: {
      'no-undef': 'off',
      'no-unused-vars': ['error', { varsIgnorePattern: '^_$' }],
    },
  },
  layers.filter(({ files }) => files.length > 0),
  apps,
);
