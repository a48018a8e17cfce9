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

const layers = Object.entries(mayImport).map(([name, allowed]) => ({
  name: `layers/${name}`,
  files: [`packages/${name}/src/**/*.ts`],
  ignores: [
    '**/*.test.ts',
    '**/src/testing/**',
    'packages/io/src/node/**',
    'packages/linux/src/host/**',
  ],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^@ckpt/(?!(${allowed.join('|')})(/|$))`,
            message: `@ckpt/${name} may import ${allowed.join(', ') || 'nothing of ours'}.`,
          },
          { regex: '^(node:|koffi)', message: 'Node only in io/src/node, linux/src/host and the apps.' },
        ],
      },
    ],
  },
}));

export default defineConfig(
  globalIgnores(['**/dist/', '**/.turbo/']),
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
  layers,
);
