/* As many mappings as asked for, every other one with a page of its own that differs, and a reserve
 * of as many GiB of which 64 pages, far from each other, are used.
 * usage: mappings COUNT GIB; lines "ready", and on each SIGUSR1 "as it was", or where it is not. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { page = 4096, used = 64, words = page / 8 };

static volatile sig_atomic_t asked;
static void ask(int number) { (void)number, asked = 1; }

static uint64_t word(uint64_t of) { return (of + 1) * 0x9e3779b97f4a7c15ull; }

int main(int argc, char **argv) {
  size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) / 2 : 10;
  size_t reserve = (argc > 2 ? strtoul(argv[2], NULL, 10) : 0) << 30, i;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  uint64_t *many = mmap(NULL, count * 2 * page, PROT_NONE, flags, -1, 0), *far = NULL;
  signal(SIGUSR1, ask);
  for (i = 0; i < count; i++) {
    uint64_t *at = many + 2 * i * words;
    if (mprotect(at, page, PROT_READ | PROT_WRITE) != 0) return 9;
    at[i % words] = word(i);
  }
  if (reserve > 0) {
    mmap(NULL, reserve, PROT_NONE, flags, -1, 0);
    far = mmap(NULL, reserve, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (far == MAP_FAILED) return 8;
    for (i = 0; i < used; i++) far[reserve / 8 / used * i] = word(i);
  }
  printf("ready\n"), fflush(stdout);
  for (;;) {
    pause();
    if (!asked) continue;
    asked = 0;
    size_t wrong = 0;
    for (i = 0; i < count; i++) wrong += many[2 * i * words + i % words] != word(i);
    for (i = 0; far != NULL && i < used; i++) wrong += far[reserve / 8 / used * i] != word(i);
    if (wrong == 0) printf("as it was\n");
    else printf("%zu pages are others\n", wrong);
    fflush(stdout);
  }
}
