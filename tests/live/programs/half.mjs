// Serves connections one of whose directions is over: "close" says a word and ends its own at once;
// "keep" reads nothing until SIGUSR2, and answers when the other end has ended.
// usage: half.mjs close|keep
import { createServer } from 'node:net';

const [how] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true, pauseOnConnect: how === 'keep' }, (socket) => {
  let bytes = 0;
  socket.on('data', (part) => {
    bytes += part.length;
    console.log(`read ${bytes}`);
  });
  socket.on('end', () => {
    console.log('ended');
    if (how === 'keep') socket.end(`got ${bytes}`);
  });
  socket.on('error', (error) => console.log(`broken ${error.code}`));
  socket.on('close', () => console.log('closed'));
  if (how === 'close') socket.end('bye');
  else process.once('SIGUSR2', () => socket.resume());
  console.log('connected');
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
