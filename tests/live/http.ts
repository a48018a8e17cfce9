import { readFileSync } from 'node:fs';
import { get, type Agent } from 'node:http';
import { createServer } from 'node:net';

/** The text that a server answers with; anything but status 200 is an error. */
export function ask(port: number, path = '/', agent?: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, path, host: '127.0.0.1', agent: agent ?? false }, (response) => {
      let text = '';
      response.on('data', (part) => (text += String(part)));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${String(response.statusCode)}: ${text}`));
      });
    }).on('error', reject);
  });
}

/** The server has noticed the end of all connections: no established socket is left at its port. */
export async function connectionsGone(port: number): Promise<void> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const open = () =>
    readFileSync('/proc/net/tcp', 'latin1')
      .split('\n')
      .some((line) => new RegExp(`^ *\\d+: \\S+:${hexPort} \\S+ 0[18]`).test(line));
  for (let n = 0; n < 200 && open(); n++) await new Promise((r) => setTimeout(r, 10));
}

/** A port that nobody has; for servers that do not choose one themselves. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no port'));
      });
    });
  });
}
