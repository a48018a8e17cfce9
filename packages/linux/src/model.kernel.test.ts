import { createEngine } from '@ckpt/engine';
import { compareFacts, MemoryHost, recordHost, type RecordedFacts } from '@ckpt/engine/model';
import { MemoryFile } from '@ckpt/io';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { resources } from './resources/index.ts';
import { callOf } from './testing/process-facts.ts';
import { keepFacts } from './testing/record.ts';
import { adoptTargets, host, restartImage, startTarget, waitForEnd } from './testing/round-trip.ts';
import { scratch } from './testing/scratch.ts';
import { program } from './testing/target.ts';

const path = scratch();
const headers = fileURLToPath(new URL('testing/programs/', import.meta.url));

beforeAll(adoptTargets);

/** An image of a process, which is killed, and all that it told of itself meanwhile. */
function checkpoint(pid: number): { readonly image: Uint8Array; readonly facts: RecordedFacts } {
  const recording = recordHost(host);
  const file = new MemoryFile();
  createEngine(recording.host, { kill: true }).checkpoint(pid, file);
  waitForEnd(pid);
  return { image: file.bytes, facts: recording.facts() };
}

/** The same on the model: what was recorded is checkpointed, restarted, and looked at again. */
function throughModel(facts: RecordedFacts): RecordedFacts {
  const { pid } = facts.task;
  const memory = new MemoryHost(facts, { resources });
  const file = new MemoryFile();
  createEngine(memory, { kill: true }).checkpoint(pid, file);
  file.rewind();
  createEngine(memory).restart(0, file);
  return memory.facts(pid);
}

/** A program that stands still, restarted by this kernel and by the model. */
function agrees(command: readonly string[], calls: boolean, name?: string): void {
  const target = startTarget(command);
  target.says('ready');
  if (calls) {
    target.until('a call', () => target.threads().every((tid) => callOf(tid) !== undefined));
  }
  const before = checkpoint(target.pid);
  if (name !== undefined) keepFacts(name, before.facts);
  const modelled = throughModel(before.facts);
  const { running } = restartImage(before.image);
  const after = checkpoint(running.pid);
  expect(compareFacts(before.facts, modelled, { exactTimes: true })).toEqual([]);
  expect(compareFacts(modelled, after.facts)).toEqual([]);
  expect(compareFacts(before.facts, after.facts)).toEqual([]);
}

test.for(['files', 'pipes', 'sockets', 'watchers', 'watches', 'rings'])(
  'the model restarts %s as this kernel does',
  (name) => {
    agrees([program(name, `-I${headers}`), path('')], true);
  },
);

test('the model restarts memory of every kind as this kernel does', () => {
  agrees(['taskset', '1', program('quiet'), path('mapped')], true);
});

test('the model restarts settings of every kind as this kernel does', () => {
  agrees(['taskset', '1', 'nice', '-n', '2', program('settings')], true);
});

test('the model restarts a process of somebody else as this kernel does', () => {
  agrees([program('somebody')], true);
});

const hasPython = spawnSync('/usr/bin/python3', ['--version']).status === 0;

test.runIf(hasPython)('the model restarts Python as this kernel does', () => {
  const script = 'import time; print("ready", flush=True); time.sleep(1000)';
  agrees(['/usr/bin/python3', '-c', script], true, 'python');
});

const server = `
const http = require('node:http');
const fs = require('node:fs');
const answer = (_request, response) => response.end('hello');
const server = http.createServer(answer).listen(0, '127.0.0.1', () => {
  // The threads of the pool are there once one has worked.
  fs.readFile(__filename, () => setTimeout(() => console.log('ready'), 300));
});
`;

test('the model restarts a Node server as this kernel does', () => {
  const file = path('server.js');
  writeFileSync(file, server);
  const [major = ''] = process.versions.node.split('.');
  agrees([process.execPath, file], true, `node-${major}`);
});

test('a counting program is recorded for other tests', () => {
  const differences = (): unknown => {
    const target = startTarget([program('counts')]);
    target.says('0x');
    target.until('a call', () => callOf(target.pid) !== undefined);
    const { facts } = checkpoint(target.pid);
    keepFacts('counts', facts);
    return compareFacts(facts, throughModel(facts), { exactTimes: true });
  };
  // A sleep of a millisecond may be over just when it is looked at: the call is, too, then.
  const tries = Array.from({ length: 12 }, differences);
  expect(tries).toContainEqual([]);
});
