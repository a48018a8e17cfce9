/* One long system call; says when it begins, and what it returned after how many milliseconds.
 * usage: sleeper nanosleep|nanosleep-null|clock|absolute|poll|ppoll|select|pselect|epoll|read|futex MS */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const char *what = argv[1];
  long long ms = atoll(argv[2]);
  struct timespec wait = {ms / 1000, ms % 1000 * 1000000}, left = {0, 0};
  int ends[2];
  char byte;
  if (pipe(ends)) return 2;
  printf("begin %s\n", what);
  fflush(stdout);
  long long start = now();
  long result;
  errno = 0;
  if (!strcmp(what, "nanosleep")) result = nanosleep(&wait, &left);
  else if (!strcmp(what, "nanosleep-null")) result = nanosleep(&wait, NULL);
  else if (!strcmp(what, "clock")) result = -(errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, &left));
  else if (!strcmp(what, "absolute")) {
    long long end = start + ms * 1000000;
    struct timespec until = {end / 1000000000, end % 1000000000};
    result = -(errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
  } else if (!strcmp(what, "poll")) {
    struct pollfd p = {ends[0], POLLIN, 0};
    result = poll(&p, 1, ms);
  } else if (!strcmp(what, "ppoll")) {
    struct pollfd p = {ends[0], POLLIN, 0};
    result = syscall(SYS_ppoll, &p, 1, &wait, NULL, 8);
  } else if (!strcmp(what, "select")) {
    fd_set set;
    struct timeval t = {ms / 1000, ms % 1000 * 1000};
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    result = select(ends[0] + 1, &set, NULL, NULL, &t);
  } else if (!strcmp(what, "pselect")) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    result = pselect(ends[0] + 1, &set, NULL, NULL, &wait, NULL);
  } else if (!strcmp(what, "epoll")) {
    struct epoll_event event;
    result = epoll_wait(epoll_create1(0), &event, 1, ms);
  } else if (!strcmp(what, "read")) {
    result = read(ends[0], &byte, 1); /* until a signal comes, or for ever */
  } else if (!strcmp(what, "futex")) {
    static int word;
    result = syscall(SYS_futex, &word, FUTEX_WAIT, 0, &wait, NULL, 0);
  } else return 2;
  int saved = errno;
  printf("end %ld errno %d after %lld ms\n", result, saved, (now() - start) / 1000000);
  return 0;
}
