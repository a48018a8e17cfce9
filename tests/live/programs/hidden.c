/* What hardly anything shows: mlockall(2) for mappings to come that are filled late, guard pages in
 * memory that may not be used, who gets which signal about a pipe. Prints "ready"; when the file of its argument is there, looks at all
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

static volatile sig_atomic_t signalled_fd;

static void on_ready(int number, siginfo_t *info, void *context) {
  (void)context;
  signalled_fd = number == SIGRTMIN + 2 ? info->si_fd : -1;
}

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
  int ready[2];
  struct sigaction action = {.sa_sigaction = on_ready, .sa_flags = SA_SIGINFO};
  struct f_owner_ex own = {F_OWNER_TID, gettid()}, quiet = {F_OWNER_PID, getpid()}, now = {0};
  if (pipe(ready) != 0 || sigaction(SIGRTMIN + 2, &action, NULL) != 0) return 9;
  if (fcntl(ready[0], F_SETOWN_EX, &own) != 0 || fcntl(ready[0], F_SETSIG, SIGRTMIN + 2) != 0)
    return 9;
  if (fcntl(ready[0], F_SETFL, O_ASYNC | O_NONBLOCK) != 0) return 9;
  if (fcntl(sink[0], F_SETOWN_EX, &quiet) != 0) return 9;
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
  check(write(ready[1], "x", 1) == 1 && signalled_fd == ready[0], "a signal about a pipe");
  check(fcntl(ready[0], F_GETFL) == (O_ASYNC | O_NONBLOCK), "O_ASYNC");
  check(fcntl(sink[0], F_GETOWN_EX, &now) == 0 && now.type == F_OWNER_PID && now.pid == getpid(),
        "F_SETOWN");
  printf("%s\n", lost ? "not all" : "kept");
  return lost ? 1 : 3;
}
