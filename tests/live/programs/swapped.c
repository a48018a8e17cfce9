/* Memory of three kinds that is then swapped out, as far as the kernel does. Prints "ready"; on
 * SIGUSR1 looks at all of it: "kept", or what was lost. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (1L << 20)
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static volatile sig_atomic_t asked;
static void ask(int number) { (void)number, asked = 1; }

/* Words that are nothing a device could leave out. */
static unsigned next(unsigned *state) { return *state = *state * 1664525 + 1013904223; }

static void fill(char *memory, unsigned state) {
  for (long i = 0; i < SIZE; i += 4) memcpy(memory + i, (unsigned[]){next(&state)}, 4);
}

static int holds(const char *memory, unsigned state) {
  for (long i = 0; i < SIZE; i += 4)
    if (memcmp(memory + i, (unsigned[]){next(&state)}, 4) != 0) return 0;
  return 1;
}

int main(void) {
  static const char *const names[] = {"private", "shared", "a memfd"};
  int flags[] = {MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS, MAP_SHARED};
  int fd = memfd_create("swapped", 0), lost = 0;
  char *memory[3];
  if (ftruncate(fd, SIZE) != 0) return 1;
  for (int i = 0; i < 3; i++) {
    memory[i] = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags[i], i < 2 ? -1 : fd, 0);
    if (memory[i] == MAP_FAILED) return 1;
    fill(memory[i], i + 1);
    madvise(memory[i], SIZE, MADV_PAGEOUT);
  }
  signal(SIGUSR1, ask);
  printf("ready\n"), fflush(stdout);
  while (!asked) pause();
  for (int i = 0; i < 3; i++) {
    if (holds(memory[i], i + 1)) continue;
    lost = 1;
    printf("lost: %s\n", names[i]);
  }
  printf(lost ? "not all\n" : "kept\n"), fflush(stdout);
  return lost;
}
