/* What hardly anything shows: mlockall(2) for mappings to come that are filled late, guard pages in
 * memory that may not be used. Prints "ready"; when the file of its argument is there, looks at all
 * of it: "kept", exit 3, or the names of what was lost, exit 1. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { page = 4096 };

static int lost;

static void check(int holds, const char *what) {
  if (holds) return;
  lost = 1;
  printf("lost: %s (%s)\n", what, strerror(errno));
}

/* Does reading a page of our own memory fail? */
static int is_guarded(char *at, int to) { return write(to, at, 1) < 0 && errno == EFAULT; }

int main(int count, char **arguments) {
  struct timespec pause = {0, 5000000};
  int flags = MAP_PRIVATE | MAP_ANONYMOUS, sink[2];
  unsigned char present = 1;
  char *none = mmap(NULL, 8 * page, PROT_NONE, flags, -1, 0), *late;
  if (count < 2 || none == MAP_FAILED || pipe(sink) != 0) return 9;
  int guards = madvise(none + page, page, 102 /* MADV_GUARD_INSTALL */) == 0;
  if (mlockall(MCL_FUTURE | MCL_ONFAULT) != 0) return 9;

  printf("ready\n");
  fflush(stdout);
  while (access(arguments[1], F_OK) != 0) nanosleep(&pause, NULL);

  late = mmap(NULL, page, PROT_READ | PROT_WRITE, flags, -1, 0);
  check(mincore(late, page, &present) == 0 && (present & 1) == 0, "MCL_ONFAULT");
  check(madvise(late, page, MADV_DONTNEED) < 0 && errno == EINVAL, "MCL_FUTURE");
  check(mprotect(none, 8 * page, PROT_READ | PROT_WRITE) == 0, "a reserve");
  check(!is_guarded(none, sink[1]) && is_guarded(none + page, sink[1]) == guards, "a guard page");
  printf("%s\n", lost ? "not all" : "kept");
  return lost ? 1 : 3;
}
