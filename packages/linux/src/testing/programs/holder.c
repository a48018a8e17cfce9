/* Holds memory and descriptors of many kinds, and says where. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static char *map(size_t pages, int protection, int flags, int fd) {
  char *at = mmap(NULL, pages * PAGE, protection, flags, fd, 0);
  if (at == MAP_FAILED) abort();
  return at;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  int anonymous = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, rw = PROT_READ | PROT_WRITE;

  /* Pages 0, 1 and 5 written, 3 read only: the zero page; 7 a guard. */
  char *mixed = map(16, rw, anonymous, -1);
  madvise(mixed, 16 * PAGE, MADV_NOHUGEPAGE);
  memset(mixed, 1, 2 * PAGE);
  memset(mixed + 5 * PAGE, 5, PAGE);
  volatile char zero = mixed[3 * PAGE];
  int guarded = madvise(mixed + 7 * PAGE, PAGE, 102 /* MADV_GUARD_INSTALL */) == 0 && zero == 0;
  printf("mixed %p guarded %d\n", (void *)mixed, guarded);

  char *reserve = map((size_t)16 << 18, PROT_NONE, anonymous, -1);
  printf("reserve %p\n", (void *)reserve);

  /* A private file mapping, page 1 changed. */
  char name[] = "/tmp/ckpt-holder-XXXXXX";
  int file = mkstemp(name);
  for (int i = 0; i < 4; i++) {
    char page[PAGE];
    memset(page, 'a' + i, PAGE);
    if (write(file, page, PAGE) != PAGE) abort();
  }
  char *private = map(4, rw, MAP_PRIVATE, file);
  private[2 * PAGE] += private[0] == 'a' && private[PAGE] == 'b' && private[3 * PAGE] == 'd';
  printf("private %p\n", (void *)private);
  unlink(name);

  /* Larger than what is copied at once; each word holds its index. */
  size_t words = 3 << 17;
  uint64_t *numbers = (uint64_t *)map(words * 8 / PAGE, rw, anonymous, -1);
  for (size_t i = 0; i < words; i++) numbers[i] = i;
  printf("numbers %p\n", (void *)numbers);

  int pair[2], ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || pipe(ends) != 0) abort();
  if (write(ends[1], "in flight", 9) != 9) abort();
  int epoll = epoll_create1(0), event = eventfd(3, 0);
  struct epoll_event item = {.events = EPOLLIN};
  epoll_ctl(epoll, EPOLL_CTL_ADD, event, &item);
  printf("file %d copy %d socket %d %d pipe %d %d epoll %d event %d\n", file, dup(file), pair[0],
         pair[1], ends[0], ends[1], epoll, event);
  int child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  printf("child %d\n", child);
  wait(NULL);
  return 0;
}
