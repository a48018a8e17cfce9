/* Threads that pass a token round by mutexes and condition variables, and check their own storage.
 * usage: threads COUNT; one line per 100 rounds: "round N"; SIGTERM joins all and prints "done N". */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t recursive;
static pthread_barrier_t barrier;
static int count, turn;
static volatile sig_atomic_t over;
static unsigned long rounds;
static __thread unsigned long own;
static __thread long tid;

static void stop(int number) { (void)number, over = 1; }

static void *run(void *argument) {
  int me = (int)(long)argument;
  unsigned long expected = 0;
  tid = syscall(SYS_gettid);
  pthread_barrier_wait(&barrier);
  pthread_mutex_lock(&lock);
  for (;;) {
    while (turn != me) pthread_cond_wait(&turned, &lock);
    if (own != expected || tid != syscall(SYS_gettid)) {
      printf("BAD thread %d: own %lu expected %lu\n", me, own, expected);
      exit(1);
    }
    own++, expected++;
    pthread_mutex_lock(&recursive);
    pthread_mutex_lock(&recursive);
    pthread_mutex_unlock(&recursive);
    pthread_mutex_unlock(&recursive);
    turn = (turn + 1) % count;
    if (turn == 0 && ++rounds % 100 == 0) printf("round %lu\n", rounds), fflush(stdout);
    pthread_cond_broadcast(&turned);
    if (over) break;
    pthread_mutex_unlock(&lock);
    usleep(me == 0 ? 200 : 0);
    pthread_mutex_lock(&lock);
  }
  pthread_mutex_unlock(&lock);
  return (void *)own;
}

int main(int argc, char **argv) {
  pthread_mutexattr_t attributes;
  pthread_t *threads;
  unsigned long sum = 0;
  int i;
  count = argc > 1 ? atoi(argv[1]) : 4;
  threads = calloc(count, sizeof *threads);
  signal(SIGTERM, stop);
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&recursive, &attributes);
  pthread_barrier_init(&barrier, NULL, count);
  for (i = 0; i < count; i++) pthread_create(&threads[i], NULL, run, (void *)(long)i);
  for (i = 0; i < count; i++) {
    void *result;
    pthread_join(threads[i], &result);
    sum += (unsigned long)result;
  }
  printf("done %lu of %lu\n", sum, rounds * count);
  return sum >= rounds * count && sum <= (rounds + 1) * count ? 0 : 1;
}
