#!/usr/bin/env node
import { statSync } from 'node:fs';

const changed = (path) =>
  statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** What `tsc -b` leaves in the repository, and no published package has. */
const builds = [
  'apps/cli',
  ...['format', 'io', 'log', 'engine', 'linux'].map((name) => `packages/${name}`),
];
const built = Math.max(...builds.map((path) => changed(`../../../${path}/dist/.tsbuildinfo`)));

// The few files of scripts/bundle.js, unless what they were made of is newer.
const bundle = changed('../dist/ckpt.js');
await import(bundle > built ? '../dist/ckpt.js' : '../dist/main.js');
