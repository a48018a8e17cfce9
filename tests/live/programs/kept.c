/* What a process has of the kernel that nothing else shows: a socket whose other end was closed,
 * membarrier(2) registrations, mlockall(2) for mappings to come, a coredump_filter, page zero, an
 * interval timer whose signal was not taken yet, one that is off and has its interval still.
 * Prints "ready"; when the file of its argument is there, looks at all of it: "kept", exit 3, or
 * the names of what was lost, exit 1. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int lost;
static volatile sig_atomic_t ticks;

static void tick(int number) {
  (void)number;
  ticks++;
}

static void check(int holds, const char *what) {
  if (holds) return;
  lost = 1;
  printf("lost: %s (%s)\n", what, strerror(errno));
}

static int is_resident(void *page) {
  unsigned char present = 0;
  return mincore(page, 4096, &present) == 0 && (present & 1);
}

int main(int count, char **arguments) {
  int pair[2], filter = open("/proc/self/coredump_filter", O_RDWR), signal_then = 0;
  char text[16] = {0}, byte;
  struct timespec pause = {0, 5000000};
  struct itimerval timer = {{0, 1000}, {0, 1000}}, off = {{0, 1000}, {0, 0}};
  sigset_t alarms;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  volatile char *zero;
  if (count < 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return 9;
  close(pair[1]);
  signal(SIGPIPE, SIG_IGN);
  if (write(filter, "0x7f", 4) != 4) return 9;
  close(filter);
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) return 9;
  zero = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags | MAP_FIXED, -1, 0);
  if (zero == MAP_FAILED) return 9;
  asm volatile("movb $7, (%0)" : : "r"(zero) : "memory");
  prctl(PR_SET_PDEATHSIG, SIGUSR1);
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) return 9;
  signal(SIGALRM, tick);
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  sigprocmask(SIG_BLOCK, &alarms, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
  setitimer(ITIMER_PROF, &off, NULL);
  nanosleep(&pause, NULL);
  printf("ready\n");
  fflush(stdout);
  while (access(arguments[1], F_OK) != 0) nanosleep(&pause, NULL);
  check(read(pair[0], &byte, 1) == 0, "the end of a socket");
  check(write(pair[0], "x", 1) < 0 && errno == EPIPE, "EPIPE of a socket");
  check(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0, "membarrier");
  check(is_resident(mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0)), "mlockall");
  asm volatile("movb (%1), %0" : "=r"(byte) : "r"(zero) : "memory");
  check(byte == 7, "page zero");
  filter = open("/proc/self/coredump_filter", O_RDONLY);
  check(read(filter, text, 15) > 0 && strtol(text, NULL, 16) == 0x7f, "coredump_filter");
  sigprocmask(SIG_UNBLOCK, &alarms, NULL);
  for (int i = 0; i < 200 && ticks < 5; i++) nanosleep(&pause, NULL);
  check(ticks >= 5, "an interval timer");
  setitimer(ITIMER_REAL, &off, NULL);
  prctl(PR_GET_PDEATHSIG, &signal_then);
  printf("%s, signal %d when the parent ends\n", lost ? "not all" : "kept", signal_then);
  return lost ? 1 : 3;
}
