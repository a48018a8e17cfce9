import { spawn } from 'node:child_process';
import { fstatSync, readlinkSync } from 'node:fs';

/** Waits for the end of its input, which is our end or `dismiss`, and removes the file. */
const script = 'read -r _; rm -f -- "$0"';

/**
 * Sees to it that an unfinished image does not outlive us. A signal ends this process in the middle
 * of a checkpoint, at once and for the good of the frozen process, so somebody else has to tidy up:
 * a shell, after SIGKILL too. Once the image has its name the file it knows of is not there.
 * Returns how to send it away.
 */
export function guard(fd: number): () => void {
  const nothing = () => undefined;
  let path: string;
  try {
    path = readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return nothing;
  }
  if (!fstatSync(fd).isFile()) return nothing;
  const shell = spawn('sh', ['-c', script, path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Without a shell an unfinished image stays behind, under a name that tells what it is.
  shell.on('error', nothing);
  shell.unref();
  return () => {
    shell.stdin.destroy();
  };
}
