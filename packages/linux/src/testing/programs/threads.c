/* Threads that come and go, and some that wait in different calls; says how many came. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void *in_condition(void *argument) {
  pthread_mutex_lock(&lock);
  for (;;) pthread_cond_wait(&never, &lock);
  return NULL;
}

static void *in_epoll(void *argument) {
  int fd = epoll_create1(0);
  struct epoll_event event;
  for (;;) {
    int n = epoll_wait(fd, &event, 1, -1);
    /* Allocates nothing. */
    if (n != -1 || write(1, "interrupted\n", 12) != 12) printf("BAD epoll_wait %d\n", n);
  }
  return NULL;
}

static void *in_read(void *argument) {
  int ends[2];
  char byte;
  if (pipe(ends) != 0) abort();
  for (;;) {
    long n = read(ends[0], &byte, 1);
    printf("BAD read %ld\n", n);
  }
  return NULL;
}

static void *short_life(void *argument) {
  usleep(*(int *)argument);
  return NULL;
}

/* Argument: microseconds that each of the short-lived threads lives. */
int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  int micro = atoi(argv[1]);
  void *(*waits[])(void *) = {in_condition, in_epoll, in_read};
  for (int i = 0; i < 3; i++) {
    pthread_t thread;
    pthread_create(&thread, NULL, waits[i], NULL);
  }
  for (long count = 1;; count++) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, short_life, &micro);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    if (count % 100 == 0 || count == 1) printf("came %ld\n", count * 4);
  }
}
