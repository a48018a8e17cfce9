import process from 'node:process';
import { packagedFile } from './npm.ts';

/** Exact, so that a run of today and one of next month test the same. */
const versions = { 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' } as const;

export type NodeMajor = keyof typeof versions;

/** Every line of Node that users have beside the one of this machine. */
export const nodeMajors: readonly NodeMajor[] = [22, 24, 26];

/**
 * Path of a Node binary, fetched from the npm registry when it is asked for the first time (some
 * 120 MB unpacked). It comes from the package that npm's `node` chooses for this processor, which
 * needs no install script.
 */
export function nodeBinary(major: NodeMajor): string {
  const name = `node-linux-${process.arch}`;
  return packagedFile({ name, version: versions[major], path: 'bin/node' });
}
