/*
 * Sleeps once, in the way that the first argument names, for the milliseconds of the second. Exits
 * with 0 when the call returned as it should, with errno when it failed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct timespec left;
static int word;

static int sleep_by(const char *way, long milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  struct timeval rest = {time.tv_sec, time.tv_nsec / 1000};
  if (!strcmp(way, "nanosleep")) return syscall(SYS_nanosleep, &time, &left);
  if (!strcmp(way, "nanosleep-null")) return syscall(SYS_nanosleep, &time, NULL);
  if (!strcmp(way, "clock_nanosleep")) return clock_nanosleep(CLOCK_BOOTTIME, 0, &time, &left);
  if (!strcmp(way, "absolute")) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    now.tv_sec += time.tv_sec + (now.tv_nsec + time.tv_nsec) / 1000000000;
    now.tv_nsec = (now.tv_nsec + time.tv_nsec) % 1000000000;
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL);
  }
  if (!strcmp(way, "poll")) return poll(NULL, 0, milliseconds);
  if (!strcmp(way, "ppoll")) return syscall(SYS_ppoll, NULL, 0, &time, NULL, 8);
  if (!strcmp(way, "select")) return select(0, NULL, NULL, NULL, &rest);
  if (!strcmp(way, "futex"))
    return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time) < 0 && errno == ETIMEDOUT
               ? 0
               : -1;
  if (!strcmp(way, "sigtimedwait")) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return sigtimedwait(&set, NULL, &time) < 0 && errno == EAGAIN ? 0 : -1;
  }
  return 1;
}

int main(int argc, char **argv) {
  printf("ready\n");
  fflush(stdout);
  close_range(0, ~0U, 0);
  errno = 0;
  return argc == 3 && sleep_by(argv[1], atol(argv[2])) == 0 ? 0 : errno ? errno : 1;
}
