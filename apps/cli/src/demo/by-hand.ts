import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ownNamespaces } from '../check/machine.ts';
import { bin } from '../command-path.ts';
import { inheritedDescriptors, serverPath } from './server-process.ts';

const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

function inPath(command: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, command)).find((path) => existsSync(path));
}

/** How a person calls this command: `ckpt` if that is it. */
function ckptWord(): string {
  const found = inPath('ckpt');
  if (found !== undefined && realpathSync(found) === realpathSync(bin)) return 'ckpt';
  return quote(bin);
}

/** Closes what whoever started us left open, and every program of theirs gets too. */
function closing(shell: string): string {
  // Only bash knows numbers of more than one digit.
  const fds = inheritedDescriptors().filter((fd) => fd < 10 || shell === 'bash');
  return fds.map((fd) => ` ${fd}>&-`).join('');
}

/** The demonstration as commands of a shell, which work as they stand. */
export function commandsByHand(port: number, privileged: boolean): readonly string[] {
  const ckpt = ckptWord();
  const shell = inPath('bash') === undefined ? 'sh' : 'bash';
  const url = `http://127.0.0.1:${port}/`;
  const node = inPath('node') === undefined ? quote(process.execPath) : 'node';
  const fetching = `${node} -e 'fetch("${url}").then((r) => r.text()).then(console.log)'`;
  const curl = inPath('curl') !== undefined;
  const apart = `> server.log 2>&1 < /dev/null${closing(shell)} &`;
  const commands = [
    'cd "$(mktemp -d)"',
    `${node} ${quote(serverPath)} ${port} ${apart}`,
    curl ? `curl -s --retry 9 --retry-connrefused ${url}` : `sleep 3; ${fetching}`,
    `${ckpt} checkpoint $! --kill -o server.ckpt`,
    `${ckpt} inspect server.ckpt | head -20`,
    `${ckpt} restart --detach server.ckpt`,
    curl ? `curl -s ${url}` : fetching,
    'kill $!',
  ];
  if (privileged) return commands;
  return [`unshare ${ownNamespaces.join(' ')} ${shell} << 'END'`, ...commands, 'END'];
}
