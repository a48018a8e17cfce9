import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import {
  syscall,
  trySyscall,
  address,
  stableBytes,
} from '../../packages/linux/src/host/syscall.ts';
import type { Lab, Program } from './lab.ts';

const program = (name: string) => fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));

/** Both sides of a connection on which data never rests. */
export interface Echo {
  readonly server: Program;
  readonly client: Program;
}

/** @param host Where the server listens. @param to Where the client finds it. */
export async function startEcho(lab: Lab, mib: number, host: string, to = host): Promise<Echo> {
  const server = lab.start(process.execPath, [program('echo'), host]);
  const [, port = ''] = await server.saw(/listening (\d+)/);
  const client = lab.start(process.execPath, [program('echo-client'), to, port, String(mib)]);
  await client.saw(/progress 2\n/);
  return { server, client };
}

/** A server that is its own client, over a connection whose both ends it has. */
export async function startSelf(lab: Lab, host: string): Promise<Program> {
  const both = lab.start(process.execPath, [program('echo'), host, 'self']);
  await both.saw(/progress 2\n/);
  return both;
}

/** Bytes go to and fro. */
export async function goesOn(client: Program): Promise<void> {
  const from = client.text().length;
  await client.saw(/progress/, from);
}

const done = /done (\d+) (\d+) (\w+)/;
const served = /served (\d+) (\w+)/;

/** Both sides end in good order; not a byte is lost or doubled. */
export async function endEcho({ server, client }: Echo, mib: number): Promise<void> {
  client.kill('SIGUSR2');
  const [, sent, received, hash] = await client.saw(done, 0, 60_000);
  const [, bytes, sum] = await server.saw(served);
  expect(Number(sent)).toBeGreaterThanOrEqual(mib << 20);
  expect([received, bytes, sum]).toEqual([sent, sent, hash]);
  expect(client.text() + server.text()).not.toMatch(/BAD|broken/);
  server.kill();
  client.kill();
}

/** netlink(7), linux/netlink.h: a list of the tables of nf_tables. */
const NFT_MSG_GETTABLE = (10 << 8) | 1;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_DONE = 3;

/** Names of packet filters that ckpt has made for a process and that are still there. */
export function filtersOf(pid: number): string[] {
  const fd = syscall('socket', 16, 3 | 0o2000000, 12);
  const request = stableBytes(20);
  request.writeUInt32LE(20, 0);
  request.writeUInt16LE(NFT_MSG_GETTABLE, 4);
  request.writeUInt16LE(NLM_F_REQUEST_DUMP, 6);
  syscall('write', fd, address(request), 20);
  let text = '';
  const room = stableBytes(1 << 16);
  for (let isEnd = false; !isEnd;) {
    const size = syscall('read', fd, address(room), room.length);
    const part = room.subarray(0, size);
    text += part.toString('latin1');
    for (let at = 0; at + 16 <= size; at += (part.readUInt32LE(at) + 3) & ~3) {
      if (part.readUInt16LE(at + 4) === NLMSG_DONE || part.readUInt16LE(at + 4) === 2) isEnd = true;
    }
  }
  trySyscall('close', fd);
  return [...text.matchAll(new RegExp(`ckpt-${String(pid)}-[\\w-]+`, 'g'))].map(([name]) => name);
}
