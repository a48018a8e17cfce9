import { Agent } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { expect } from 'vitest';
import { ask } from './http.ts';

/** Clients that ask all the time, each over one connection that lasts. */
export interface Clients {
  /** Lets them end, each behind the answer to what it asked last. Returns how many answers there were. */
  end(): Promise<number>;
}

/** Asks over and over, so many at once, until it is told to end. */
function asking(count: number, once: (client: number, n: number) => Promise<void>) {
  let isOver = false;
  let answered = 0;
  const client = async (index: number): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      await once(index, n);
      answered++;
    }
  };
  const all = Promise.all(Array.from({ length: count }, (_, index) => client(index)));
  // Whoever waits for the end hears of a failure.
  all.catch(() => undefined);
  return async (): Promise<number> => {
    isOver = true;
    await all;
    return answered;
  };
}

/** @param check Throws for an answer that is wrong. */
export function httpClients(
  port: number,
  paths: readonly string[],
  check: (path: string, text: string) => void,
): Clients {
  const count = 4;
  const agent = new Agent({ keepAlive: true, maxSockets: count });
  const plain = agent.createConnection.bind(agent);
  let opened = 0;
  agent.createConnection = (...args) => {
    opened++;
    return plain(...args);
  };
  const end = asking(count, async (client, n) => {
    const path = paths[(client + n) % paths.length] ?? '/';
    check(path, await ask(port, path, agent));
  });
  return {
    async end() {
      const answered = await end();
      agent.destroy();
      expect(opened).toBe(count);
      expect(answered).toBeGreaterThan(count);
      return answered;
    },
  };
}

/** One line, however it comes. */
function line(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const more = (part: Buffer): void => {
      text += String(part);
      if (!text.endsWith('\r\n')) return;
      socket.off('data', more).off('close', closed);
      resolve(text.trim());
    };
    const closed = (): void => {
      reject(new Error(`redis closed a connection behind ${text}`));
    };
    socket.on('data', more).once('close', closed);
  });
}

/** Clients of redis, each of which counts in a key of its own. */
export function redisClients(port: number): Clients {
  const sockets = [0, 1, 2].map(() => createConnection(port, '127.0.0.1'));
  for (const socket of sockets) socket.on('error', () => undefined);
  const end = asking(sockets.length, async (client, n) => {
    const socket = sockets[client];
    if (socket === undefined) throw new Error('no such client');
    const answer = line(socket);
    socket.write(`INCR client${client}\r\n`);
    expect(await answer).toBe(`:${n + 1}`);
  });
  return {
    async end() {
      const answered = await end();
      for (const socket of sockets) socket.destroy();
      return answered;
    },
  };
}
