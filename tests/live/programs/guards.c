/* Memory in combinations that are seldom: guard pages under locks, seals and over shared memory,
 * files that have lost their names and are mapped in two ways. Argument: a directory. Prints
 * "ready"; on SIGUSR1 looks at all of it: "kept", or what was lost. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { page = 4096, pages = 16, first = 4, last = 6 };
#define READ_WRITE (PROT_READ | PROT_WRITE)
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#define SYS_mseal 462

static int lost;
static int pipes[2];
static volatile sig_atomic_t asked;
static void ask(int number) { (void)number, asked = 1; }

static void check(int holds, const char *what) {
  if (holds) return;
  lost = 1;
  printf("lost: %s (%s)\n", what, strerror(errno));
}

static char *map(int protection, int flags, int fd) {
  char *memory = mmap(NULL, pages * page, protection, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
  if (memory == MAP_FAILED) exit((perror("mmap"), 1));
  return memory;
}

static void write_pages(char *memory, int from, int to) {
  for (int i = from; i < to; i++) sprintf(memory + i * page, "page %d", i);
}

static int has_page(const char *memory, int number) {
  char text[20];
  sprintf(text, "page %d", number);
  return strcmp(memory + number * page, text) == 0;
}

/* 0 where the kernel has no guard pages of that kind. */
static int guard(char *memory) {
  return madvise(memory + first * page, (last - first) * page, MADV_GUARD_INSTALL) == 0;
}

static int can_read(const char *memory) {
  char byte;
  return write(pipes[1], memory, 1) == 1 && read(pipes[0], &byte, 1) == 1;
}

static void check_guarded(const char *memory, int guarded, const char *what) {
  for (int i = 0; i < pages; i++) {
    const char *at = memory + i * page;
    int inside = i >= first && i < last;
    if (inside) check(can_read(at) != guarded, what);
    else check(can_read(at) && has_page(memory, i), what);
  }
}

static char *guarded(int *there) {
  char *memory = map(READ_WRITE, MAP_PRIVATE, -1);
  write_pages(memory, 0, pages);
  *there = guard(memory);
  return memory;
}

static int file(const char *directory, const char *name) {
  char path[500];
  snprintf(path, sizeof path, "%s/%s-%d", directory, name, getpid());
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (fd < 0 || ftruncate(fd, pages * page) != 0 || unlink(path) != 0) exit((perror(path), 1));
  return fd;
}

static int memory_file(void) {
  int fd = memfd_create("both", 0);
  if (fd < 0 || ftruncate(fd, pages * page) != 0) exit((perror("memfd"), 1));
  return fd;
}

/* A file or memfd that is mapped shared and private, and not open any more. */
struct both { char *shared, *private; };

static struct both map_both(int fd) {
  struct both both = {map(READ_WRITE, MAP_SHARED, fd), map(READ_WRITE, MAP_PRIVATE, fd)};
  write_pages(both.shared, 0, pages);
  strcpy(both.private + page, "mine");
  close(fd);
  return both;
}

static void check_both(struct both both, const char *what) {
  strcpy(both.shared + 2 * page, "again");
  check(has_page(both.shared, 1) && has_page(both.shared, pages - 1), what);
  check(has_page(both.private, 3) && strcmp(both.private + page, "mine") == 0, what);
  check(strcmp(both.private + 2 * page, "again") == 0, what);
}

int main(int argc, char **argv) {
  int locks, fills, seals, files, shares, views;
  if (pipe(pipes) != 0) return 1;
  char *on_fault = guarded(&locks), *filled = guarded(&fills), *sealed = guarded(&seals);
  mlock2(on_fault, pages * page, MLOCK_ONFAULT);
  mlock(filled, pages * page);
  mprotect(sealed, pages * page, PROT_READ);
  syscall(SYS_mseal, sealed, pages * page, 0);

  int with_guards = file(argv[argc - 1], "guards");
  char *in_file = map(READ_WRITE, MAP_SHARED, with_guards);
  write_pages(in_file, 0, pages);
  files = guard(in_file);
  char *shared = map(READ_WRITE, MAP_SHARED, -1);
  write_pages(shared, 0, first), write_pages(shared, last, pages);
  shares = guard(shared);
  char *seen = map(READ_WRITE, MAP_SHARED, -1);
  write_pages(seen, 0, pages);
  char *view = mremap(seen, 0, pages * page, MREMAP_MAYMOVE);
  views = guard(view);

  struct both deleted = map_both(file(argv[argc - 1], "both"));
  struct both memory = map_both(memory_file());
  int in_tmpfs = file("/dev/shm", "posix");
  char *posix = map(READ_WRITE, MAP_SHARED, in_tmpfs);
  write_pages(posix, 0, pages);

  signal(SIGUSR1, ask);
  printf("ready\n"), fflush(stdout);
  while (!asked) pause();
  check_guarded(on_fault, locks, "guards in memory locked on fault");
  check_guarded(filled, fills, "guards in locked memory");
  check_guarded(sealed, seals, "guards in sealed memory");
  check_guarded(in_file, files, "guards over a file");
  check_guarded(view, views, "guards of one view");
  for (int i = 0; i < pages; i++) check(has_page(seen, i), "the other view");
  for (int i = 0; i < pages; i++)
    check(i >= first && i < last ? can_read(shared + i * page) != shares : has_page(shared, i),
          "guards over shared memory");
  check_both(deleted, "a deleted file");
  check_both(memory, "a memfd");
  char text[8] = "";
  check(pread(in_tmpfs, text, 6, 2 * page) == 6 && strcmp(text, "page 2") == 0, "POSIX memory");
  strcpy(posix, "new");
  check(pread(in_tmpfs, text, 4, 0) == 4 && strcmp(text, "new") == 0, "POSIX memory is shared");
  printf(lost ? "not all\n" : "kept\n"), fflush(stdout);
  return lost;
}
