// ring-files FOLDER: writes and reads files all the time, six at once; SIGUSR2: says how often.
import { readFile, writeFile } from 'node:fs/promises';

const [, , folder] = process.argv;
let rounds = 0;
process.on('SIGUSR2', () => console.log('rounds', rounds));
console.log('ready');
for (;;) {
  const text = `${'x'.repeat(50_000)} ${++rounds}`;
  const files = [1, 2, 3, 4, 5, 6].map(async (number) => {
    await writeFile(`${folder}/${number}`, `${text} ${number}`);
    const read = await readFile(`${folder}/${number}`, 'utf8');
    if (read !== `${text} ${number}`) throw new Error(`wrong in round ${rounds}`);
  });
  await Promise.all(files);
  await new Promise((resolve) => setTimeout(resolve, 1));
}
