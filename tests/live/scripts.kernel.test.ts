import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { find, Lab, type Program } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

/** The programs print 1, 2, 3 ...: after any number of restarts the sequence has no gap and no repetition. */
async function countsOn(program: Program): Promise<void> {
  await program.saw(/^10$/m);
  for (let round = 0; round < 3; round++) {
    await lab.cycle(program);
    const last = Number(program.lines().at(-1));
    await program.saw(new RegExp(`^${String(last + 10)}$`, 'm'));
  }
  const lines = program.lines().map(Number);
  expect(lines).toEqual(lines.map((_, index) => index + 1));
  program.kill();
}

const scripts: Record<string, string> = {
  sh: 'i=0; while :; do i=$((i+1)); echo $i; j=0; while [ $j -lt 2000 ]; do j=$((j+1)); done; done',
  perl: '$| = 1; while (1) { print ++$i, "\\n"; select(undef, undef, undef, 0.01) }',
  python3:
    'import time\ni = 0\nwhile True:\n    i += 1\n    print(i, flush=True)\n    time.sleep(0.01)\n',
};

describe.concurrent('an interpreter in a loop', () => {
  const present = (name: string) => find(name);

  test.skipIf(present('sh') === undefined)('sh counts on', async () => {
    writeFileSync(lab.path('loop.sh'), scripts.sh ?? '');
    await countsOn(lab.start('sh', [lab.path('loop.sh')]));
  });

  test.skipIf(present('perl') === undefined)('perl counts on', async () => {
    writeFileSync(lab.path('loop.pl'), scripts.perl ?? '');
    await countsOn(lab.start('perl', [lab.path('loop.pl')]));
  });

  test.skipIf(present('python3') === undefined)('python3 counts on', async () => {
    writeFileSync(lab.path('loop.py'), scripts.python3 ?? '');
    const python = lab.run('python3', ['-c', 'import sys; print(sys.executable)']).stdout.trim();
    await countsOn(lab.start(python, [lab.path('loop.py')]));
  });
});

describe('python3', () => {
  test.skipIf(find('python3') === undefined)(
    'recomputes a chain of hashes without an error',
    async () => {
      const python = lab.run('python3', ['-c', 'import sys; print(sys.executable)']).stdout.trim();
      writeFileSync(
        lab.path('chain.py'),
        [
          'import hashlib, signal, sys, threading, queue',
          'q = queue.Queue(4)',
          'def work():',
          '    h = b"seed"',
          '    while True:',
          '        for _ in range(2000): h = hashlib.sha256(h).digest()',
          '        q.put(h.hex())',
          'threading.Thread(target=work, daemon=True).start()',
          'n = 0',
          'while True:',
          '    n += 1',
          '    print(n, q.get(), flush=True)',
        ].join('\n'),
      );
      const program = lab.start(python, [lab.path('chain.py')]);
      await program.saw(/^10 /m);
      await lab.cycle(program);
      const last = Number(program.lines().at(-1)?.split(' ')[0]);
      await program.saw(new RegExp(`^${String(last + 20)} `, 'm'));
      program.kill();
      const check = lab.run(
        python,
        [
          '-c',
          'import hashlib,sys\nh=b"seed"\nfor line in sys.stdin:\n  for _ in range(2000): h=hashlib.sha256(h).digest()\n  assert line.split()[1]==h.hex(), line\nprint("same")',
        ],
        program.lines().join('\n') + '\n',
      );
      expect(check.stderr + check.stdout).toBe('same\n');
    },
  );
});
