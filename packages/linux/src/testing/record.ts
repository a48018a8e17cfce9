import { parseFacts, stringifyFacts, type RecordedFacts } from '@ckpt/engine/model';
import { decodeText, encodeText } from '@ckpt/io';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const folder = new URL('facts/', import.meta.url);

/** Names of all recordings that are kept. */
export function recordings(): readonly string[] {
  return readdirSync(folder).map((file) => file.replace(/\.facts$/, ''));
}

/** Facts of a real process, as a live test has recorded them. */
export function recorded(name: string): RecordedFacts {
  return parseFacts(readFileSync(new URL(`${name}.facts`, folder), 'utf8'));
}

/** Lines of smaps that are read, those of nothing left out. */
const smapsKept =
  /^([0-9a-f]+-|VmFlags|(Anonymous|Swap|Shared_Clean|Shared_Dirty|ProtectionKey): *[1-9])/;

/** True for a directory that only says where Node and the tests are on some machine. */
function isPrivate(path: string): boolean {
  const here = [dirname(process.execPath), process.cwd()];
  const isShared = ['/', '/usr', '/usr/bin', '/tmp'].includes(path);
  return !isShared && here.some((folder) => `${folder}/`.startsWith(`${path}/`));
}

/** Facts without what nobody reads, and without the names of the machine they come from. */
function trimFacts(facts: RecordedFacts): RecordedFacts {
  const { smaps } = facts.read;
  const lines = decodeText(smaps ?? new Uint8Array(0)).split('\n');
  const short = encodeText(`${lines.filter((line) => smapsKept.test(line)).join('\n')}\n`);
  const uts = { release: '6.18.44', version: '#1 SMP', machine: 'x86_64' };
  const bootId = new Uint8Array(16).fill(7);
  const files = Object.entries(facts.files).filter(([path]) => !isPrivate(path));
  return {
    ...facts,
    files: Object.fromEntries(files),
    system: { ...facts.system, uts, bootId },
    read: smaps === undefined ? facts.read : { ...facts.read, smaps: short },
  };
}

/** With CKPT_RECORD=1 writes the recording that other tests replay. */
export function keepFacts(name: string, facts: RecordedFacts): void {
  if (process.env.CKPT_RECORD !== '1') return;
  const text = stringifyFacts(trimFacts(facts));
  // Where this Node is installed, and the tests run, is nobody's business.
  const plain = text
    .replaceAll(dirname(process.execPath), '/usr/bin')
    .replaceAll(process.cwd(), '/srv');
  writeFileSync(new URL(`${name}.facts`, folder), plain);
}
