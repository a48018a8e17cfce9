/*
 * One thread for each call that a stop ends with EINTR, or that keeps its time in the kernel alone:
 * each waits for the milliseconds of the first argument, and says what it got after how many.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static long whole;
static struct timespec limit;
/* In memory that the kernel cannot write the rest to. */
static struct timespec *fixed;
static pthread_barrier_t all;

static int in_epoll_wait(void) {
  struct epoll_event event;
  return epoll_wait(epoll_create1(0), &event, 1, whole);
}

static int in_epoll_pwait(void) {
  struct epoll_event event;
  sigset_t set;
  sigemptyset(&set);
  return epoll_pwait(epoll_create1(0), &event, 1, whole, &set);
}

static int in_epoll_pwait2(void) {
  struct epoll_event event;
  return syscall(SYS_epoll_pwait2, epoll_create1(0), &event, 1, &limit, NULL, 8);
}

static int in_sigtimedwait(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  return sigtimedwait(&set, NULL, &limit);
}

static int in_semtimedop(void) {
  int id = semget(IPC_PRIVATE, 1, 0600);
  struct sembuf down = {0, -1, 0};
  int result = semtimedop(id, &down, 1, &limit), error = errno;
  semctl(id, 0, IPC_RMID);
  errno = error;
  return result;
}

static int in_receive(void) {
  int ends[2];
  char byte;
  struct timeval time = {whole / 1000, whole % 1000 * 1000};
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  return read(ends[0], &byte, 1);
}

static int in_accept(void) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un any = {AF_UNIX};
  struct timeval time = {whole / 1000, whole % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  bind(fd, (struct sockaddr *)&any, sizeof any.sun_family);
  listen(fd, 1);
  return accept(fd, NULL, NULL);
}

static int in_io_uring(void) {
  struct io_uring_params params = {0};
  int fd = syscall(SYS_io_uring_setup, 4, &params);
  struct io_uring_getevents_arg argument = {.ts = (unsigned long)&limit};
  if (fd < 0) return errno = ETIME, -1;
  /* As liburing has it. */
  size_t submissions = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  size_t completions = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  size_t ring = submissions > completions ? submissions : completions;
  int protection = PROT_READ | PROT_WRITE, shared = MAP_SHARED | MAP_POPULATE;
  mmap(NULL, ring, protection, shared, fd, IORING_OFF_SQ_RING);
  ring = params.sq_entries * sizeof(struct io_uring_sqe);
  mmap(NULL, ring, protection, shared, fd, IORING_OFF_SQES);
  int flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
  return syscall(SYS_io_uring_enter, fd, 0, 1, flags, &argument, sizeof argument);
}

static int in_ppoll(void) { return syscall(SYS_ppoll, NULL, 0, fixed, NULL, 8); }
static int in_select(void) {
  return syscall(SYS_select, 0, NULL, NULL, NULL, (struct timeval *)(fixed + 1));
}
static int in_poll(void) { return poll(NULL, 0, whole); }
static int in_nanosleep(void) { return syscall(SYS_nanosleep, &limit, NULL); }
static int in_clock_nanosleep(void) {
  return syscall(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &limit, NULL);
}
static int in_futex(void) {
  static int word;
  return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &limit);
}

static const struct {
  const char *name;
  int (*wait)(void);
} calls[] = {
    {"epoll_wait", in_epoll_wait}, {"epoll_pwait", in_epoll_pwait},
    {"epoll_pwait2", in_epoll_pwait2}, {"sigtimedwait", in_sigtimedwait},
    {"semtimedop", in_semtimedop}, {"receive", in_receive},
    {"accept", in_accept}, {"io_uring", in_io_uring},
    {"ppoll", in_ppoll}, {"select", in_select},
    {"poll", in_poll}, {"nanosleep", in_nanosleep},
    {"clock_nanosleep", in_clock_nanosleep}, {"futex", in_futex},
};
enum { count = sizeof calls / sizeof *calls };

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *run(void *argument) {
  long index = (long)argument;
  pthread_barrier_wait(&all);
  long start = now();
  errno = 0;
  int result = calls[index].wait(), error = errno;
  printf("%s %d %s %ld\n", calls[index].name, result, strerrorname_np(error), now() - start);
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[count];
  sigset_t set;
  whole = atol(argv[1]);
  limit = (struct timespec){whole / 1000, whole % 1000 * 1000000};
  fixed = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  fixed[0] = limit;
  *(struct timeval *)(fixed + 1) = (struct timeval){whole / 1000, whole % 1000 * 1000};
  mprotect(fixed, 4096, PROT_READ);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  pthread_barrier_init(&all, NULL, count + 1);
  for (long i = 0; i < count; i++) pthread_create(&threads[i], NULL, run, (void *)i);
  pthread_barrier_wait(&all);
  printf("ready\n");
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
  printf("end\n");
  return 0;
}
