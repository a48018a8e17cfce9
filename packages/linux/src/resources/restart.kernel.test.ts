import { expect, test } from 'vitest';
import { roundTrip } from '../testing/round-trip.ts';
import { Target, compile, pause } from '../testing/target.ts';
import { memoryOf } from '../testing/process-facts.ts';

const counter = `
#include <stdio.h>
#include <time.h>
#include <unistd.h>
static volatile unsigned long count = 0;
int main(void) {
  printf("%p\\n", (void *)&count); fflush(stdout);
  fclose(stdin); fclose(stdout); fclose(stderr);
  struct timespec t = {0, 1000000};
  for (;;) { count++; nanosleep(&t, 0); }
}`;

test('counts on', async () => {
  const target = new Target([compile(counter)]);
  target.until('x', () => target.output.includes('\n'));
  pause(50);
  const address = BigInt(target.output.trim());
  const before = memoryOf(target.pid, address, 8).readBigUInt64LE();
  const { running, notes, image } = roundTrip(target.pid);
  console.log(notes, image.length);
  pause(100);
  const after = memoryOf(running.pid, address, 8).readBigUInt64LE();
  console.log(before, after);
  expect(after).toBeGreaterThan(before + 10n);
  process.kill(running.pid, 'SIGKILL');
  expect(await running.wait()).toBe(9);
});
