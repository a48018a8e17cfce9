/* many-files COUNT FOLDER: so many descriptors, of six kinds in turn: a file of its own, read in part;
 * a duplicate of it, which shares its offset; both ends of a pipe with a number in it; an eventfd that
 * counts; a file that all share, each time opened anew. SIGUSR1: looks at each of them, "N right". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { KINDS = 6 };

static void fail(int number) {
  printf("wrong: %d\n", number);
  perror("last");
  exit(1);
}

static void is(int number, int holds) {
  if (!holds) fail(number);
}

static int own(const char *folder, int number) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%d", folder, number);
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | (number % 4 ? 0 : O_CLOEXEC), 0600);
  is(number, fd >= 0 && dprintf(fd, "%08d%08d", number, number + 1) == 16);
  is(number, lseek(fd, number % 8, SEEK_SET) == number % 8);
  return fd;
}

static void make(const char *folder, int *fds, int at) {
  int ends[2];
  fds[at] = own(folder, at);
  fds[at + 1] = dup(fds[at]);
  is(at, pipe2(ends, O_NONBLOCK) == 0 && write(ends[1], &at, sizeof at) == sizeof at);
  fds[at + 2] = ends[0];
  fds[at + 3] = ends[1];
  fds[at + 4] = eventfd(at + 1, EFD_NONBLOCK);
  fds[at + 5] = open("/dev/null", at % 4 ? O_WRONLY : O_RDONLY);
  for (int i = 0; i < KINDS; i++) is(at + i, fds[at + i] >= 0);
}

static void look(const int *fds, int at) {
  char text[17] = "", wanted[32];
  int number = -1;
  uint64_t count = 0;
  is(at, lseek(fds[at + 1], 0, SEEK_CUR) == at % 8);
  is(at, fcntl(fds[at], F_GETFD) == (at % 4 ? 0 : FD_CLOEXEC));
  is(at, pread(fds[at], text, 16, 0) == 16);
  snprintf(wanted, sizeof wanted, "%08d%08d", at, at + 1);
  for (int i = 0; i < 16; i++) is(at, text[i] == wanted[i]);
  is(at, lseek(fds[at], 3, SEEK_CUR) == at % 8 + 3 && lseek(fds[at + 1], -3, SEEK_CUR) == at % 8);
  is(at + 2, read(fds[at + 2], &number, sizeof number) == sizeof number && number == at);
  is(at + 3, write(fds[at + 3], &at, sizeof at) == sizeof at);
  is(at + 4, read(fds[at + 4], &count, sizeof count) == sizeof count && count == (uint64_t)at + 1);
  is(at + 4, write(fds[at + 4], &count, sizeof count) == sizeof count);
  is(at + 5, (fcntl(fds[at + 5], F_GETFL) & O_ACCMODE) == (at % 4 ? O_WRONLY : O_RDONLY));
}

int main(int count, char **arguments) {
  int total = count > 2 ? atoi(arguments[1]) / KINDS * KINDS : 0;
  int *fds = calloc(total + 1, sizeof *fds), signal;
  sigset_t signals;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int at = 0; at < total; at += KINDS) make(arguments[2], fds, at);
  printf("ready\n");
  while (sigwait(&signals, &signal) == 0) {
    for (int at = 0; at < total; at += KINDS) look(fds, at);
    printf("%d right\n", total);
  }
}
