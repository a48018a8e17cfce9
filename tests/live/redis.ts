import { createConnection, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connectionsGone } from './http.ts';

/** A connection, with the time that a server needs until it listens. */
async function connect(port: number): Promise<Socket> {
  for (let n = 0; ; n++) {
    try {
      return await new Promise((resolve, reject) => {
        const socket = createConnection(port, '127.0.0.1', () => {
          resolve(socket);
        });
        socket.once('error', reject);
      });
    } catch (error) {
      if (n === 500) throw error;
      await delay(20);
    }
  }
}

/**
 * Sends inline commands of redis over one connection, and returns their answers, a line each.
 * The connection is closed on both sides when it returns.
 */
export async function redis(port: number, ...commands: readonly string[]): Promise<string[]> {
  const socket = await connect(port);
  let text = '';
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (part) => (text += String(part)));
    socket.once('error', reject);
    socket.once('close', () => {
      resolve();
    });
    socket.write([...commands, 'QUIT'].map((command) => `${command}\r\n`).join(''));
  });
  await connectionsGone(port);
  // QUIT is answered too.
  return text.split('\r\n').slice(0, -2);
}
