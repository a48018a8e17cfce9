/* Touches MIB of memory of several kinds and prints its checksum on SIGUSR1.
 * usage: memory MIB; lines "ready SUM", then "sum SUM". */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile sig_atomic_t asked;
static void ask(int number) { (void)number, asked = 1; }

static uint64_t *big, *shared, *sparse;
static size_t words;
enum { shared_words = 1 << 17 };

static uint64_t sum(void) {
  uint64_t s = 14695981039346656037ull;
  size_t i;
  for (i = 0; i < words; i++) s = (s ^ big[i]) * 1099511628211ull;
  for (i = 0; i < shared_words; i++) s = (s ^ shared[i]) * 1099511628211ull;
  for (i = 0; i < 1024; i++) s = (s ^ sparse[i << 21]) * 1099511628211ull;
  return s;
}

int main(int argc, char **argv) {
  size_t mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 64, i;
  words = mib << 17;
  big = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  shared = mmap(NULL, shared_words * 8, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  sparse = mmap(NULL, 16ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  mmap(NULL, 64ul << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  uint64_t x = 88172645463325252ull;
  for (i = 0; i < words; i++) x ^= x << 13, x ^= x >> 7, x ^= x << 17, big[i] = x;
  for (i = 0; i < shared_words; i++) shared[i] = i * 0x9e3779b97f4a7c15ull;
  for (i = 0; i < 64; i++) sparse[i << 25] = i + 1;
  madvise(big, mib << 19, MADV_DONTFORK);
  mprotect(big, 4096, PROT_READ);
  signal(SIGUSR1, ask);
  printf("ready %016lx\n", sum()), fflush(stdout);
  for (;;) {
    pause();
    if (asked) asked = 0, printf("sum %016lx\n", sum()), fflush(stdout);
  }
}
