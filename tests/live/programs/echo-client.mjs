// Sends so many MiB to an echo, and more until SIGUSR2 says that it is enough; compares what comes back.
// usage: echo-client.mjs HOST PORT MIB
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

/** A prime number of bytes that look like chance: no two blocks of them lie alike. */
const pattern = Buffer.alloc(1_048_583);
for (let at = 0, state = 1; at < pattern.length; at++) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  pattern[at] = state >>> 16;
}

export function startClient(host, port, mib) {
  const socket = connect({ host, port });
  const hash = createHash('sha256');
  const piece = 1 << 17;
  let [sent, received, told, isEnough] = [0, 0, 0, false];
  process.on('SIGUSR2', () => (isEnough = true));

  const send = () => {
    if (isEnough && sent >= mib << 20) return void socket.end();
    const at = sent % pattern.length;
    const part = pattern.subarray(at, Math.min(at + piece, pattern.length));
    hash.update(part);
    sent += part.length;
    const isRoom = socket.write(part);
    if (isRoom) setTimeout(send, 3);
    else socket.once('drain', send);
  };
  socket.on('connect', send);
  socket.on('data', (part) => {
    for (let done = 0; done < part.length;) {
      const at = received % pattern.length;
      const length = Math.min(part.length - done, pattern.length - at);
      if (pattern.compare(part, done, done + length, at, at + length) !== 0) {
        console.log(`BAD near ${received}`);
        process.exit(1);
      }
      done += length;
      received += length;
    }
    for (; told < Math.floor(received / 2 ** 20); told++) console.log(`progress ${told + 1}`);
  });
  socket.on('error', (error) => console.log(`broken ${error.code}`));
  socket.on('close', () => console.log(`done ${sent} ${received} ${hash.digest('hex')}`));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [host, port, mib] = process.argv.slice(2);
  startClient(host, Number(port), Number(mib));
}
