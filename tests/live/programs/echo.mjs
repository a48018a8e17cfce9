// Echoes what comes in on its connections, and sums it up. With "self" it is its own client, too.
// usage: echo.mjs HOST [self]
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { startClient } from './echo-client.mjs';

const [host, self] = process.argv.slice(2);

const server = createServer((socket) => {
  const hash = createHash('sha256');
  let bytes = 0;
  socket.on('data', (part) => {
    bytes += part.length;
    hash.update(part);
    if (!socket.write(part)) {
      socket.pause();
      socket.once('drain', () => socket.resume());
    }
  });
  socket.on('error', (error) => console.log(`broken ${error.code}`));
  socket.on('close', () => console.log(`served ${bytes} ${hash.digest('hex')}`));
});
server.listen(0, host, () => {
  const { port } = server.address();
  console.log(`listening ${port}`);
  if (self === 'self') startClient(host, port, 4);
});
