/* Memory of every kind that a process can have, then nothing more. Argument: a file to map. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { page = 4096 };
#define READ_WRITE (PROT_READ | PROT_WRITE)
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#define MAP_DROPPABLE_TYPE 8
#define SYS_mseal 462

static char *map(size_t size, int protection, int flags) {
  char *memory = mmap(NULL, size, protection, flags | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
  return memory;
}

/* Advice on a mapping of its own, with some pages touched. */
static void advise(int advice) {
  char *memory = map(16 * page, READ_WRITE, MAP_PRIVATE);
  memset(memory, advice, 3 * page);
  if (madvise(memory + 8 * (advice == MADV_GUARD_INSTALL) * page, 4 * page, advice))
    printf("madvise(%d): %m\n", advice);
  map(page, PROT_NONE, MAP_PRIVATE);
}

static void map_files(const char *name) {
  int fd = open(name, O_RDWR | O_CREAT, 0600);
  if (ftruncate(fd, 10 * page)) perror("ftruncate");
  char *shared = mmap(NULL, 10 * page, READ_WRITE, MAP_SHARED, fd, 0);
  strcpy(shared + page, "in the file");
  char *private = mmap(NULL, 10 * page, READ_WRITE, MAP_PRIVATE, fd, 0);
  strcpy(private + 3 * page, "not in the file");
  mmap(NULL, page, PROT_READ, MAP_SHARED, fd, page);
  close(fd);
  fd = open("/dev/zero", O_RDWR);
  char *zero = mmap(NULL, 3 * page, READ_WRITE, MAP_PRIVATE, fd, 0);
  strcpy(zero + page, "zero");
  close(fd);
}

static void map_shared(void) {
  char *object = map(20 * page, READ_WRITE, MAP_SHARED);
  strcpy(object, "first");
  strcpy(object + 9 * page, "tenth");
  char *view = mremap(object + 4 * page, 0, 8 * page, MREMAP_MAYMOVE);
  if (strcmp(view + 5 * page, "tenth")) printf("no second view\n");
  mprotect(view, page, PROT_READ);
  char *reserve = map(40 * page, READ_WRITE, MAP_SHARED | MAP_NORESERVE);
  /* Touched by a child alone: the table of this process does not have the page. */
  if (fork() == 0) {
    strcpy(reserve + 7 * page, "by a child");
    _exit(0);
  }
  wait(NULL);
}

static void map_private(void) {
  map(64UL << 30, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
  char *memory = map(100 * page, READ_WRITE, MAP_PRIVATE);
  for (int i = 0; i < 100; i += 3) memory[i * page] = i;
  mprotect(memory + 20 * page, 10 * page, PROT_READ);
  mprotect(memory + 40 * page, 10 * page, PROT_NONE);
  mprotect(memory + 60 * page, 10 * page, PROT_READ | PROT_EXEC);
  char *locked = map(5 * page, READ_WRITE, MAP_PRIVATE);
  if (mlock(locked, 2 * page)) perror("mlock");
  if (mlock2(locked + 3 * page, page, MLOCK_ONFAULT)) perror("mlock2");
  char *down = map(4 * page, READ_WRITE, MAP_PRIVATE | MAP_GROWSDOWN);
  strcpy(down + page, "down");
  char *huge = map(8 << 20, READ_WRITE, MAP_PRIVATE);
  madvise(huge, 8 << 20, MADV_HUGEPAGE);
  memset(huge + (3 << 20), 3, 3 << 20);
  mmap(NULL, page, READ_WRITE, MAP_DROPPABLE_TYPE | MAP_ANONYMOUS, -1, 0);
  char *sealed = map(page, READ_WRITE, MAP_PRIVATE);
  strcpy(sealed, "sealed");
  mprotect(sealed, page, PROT_READ);
  syscall(SYS_mseal, sealed, page, 0);
}

int main(int argc, char **argv) {
  static const int advices[] = {MADV_RANDOM,    MADV_SEQUENTIAL, MADV_DONTFORK,
                                MADV_MERGEABLE, MADV_NOHUGEPAGE, MADV_DONTDUMP,
                                MADV_WIPEONFORK, MADV_GUARD_INSTALL};
  map_files(argv[argc - 1]);
  map_shared();
  map_private();
  for (unsigned i = 0; i < sizeof advices / sizeof *advices; i++) advise(advices[i]);
  strcpy(malloc(100000), "heap");
  sbrk(123);
  printf("ready\n");
  fflush(stdout);
  close_range(0, ~0U, 0);
  for (;;) pause();
}
