/* What test programs of descriptors share: they say "ready", wait for SIGUSR1, check, say "done". */
#ifndef RESUMED_H
#define RESUMED_H
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t signalled;
static int failures;

static void on_signal(int signal) {
  (void)signal;
  signalled = 1;
}

/* Prints what is not as it should be, and goes on. */
#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      printf("line %d: %s (%s)\n", __LINE__, #condition, strerror(errno));      \
      failures++;                                                               \
    }                                                                           \
  } while (0)

static inline void prepare(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
}

/* Here the program is checkpointed and restarted, once or more often. */
static inline void wait_for_restart(void) {
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, &old);
  printf("ready\n");
  while (!signalled) sigsuspend(&old);
  sigprocmask(SIG_SETMASK, &old, NULL);
}

static inline int finish(void) {
  printf(failures ? "failed\n" : "done\n");
  return failures != 0;
}

/* Status flags without what the C library or the kernel add by themselves. */
static inline int flags_of(int fd) { return fcntl(fd, F_GETFL) & ~0100000; }

#endif
