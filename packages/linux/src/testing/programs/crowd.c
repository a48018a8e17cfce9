/* Many threads (argument: how many), half of which wait for a condition, half for a semaphore. */
#define _GNU_SOURCE
#include "resumed.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t go_on = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t begun;
static sem_t semaphore;
static int generation, through;
static __thread long own;

static void *run(void *argument) {
  long number = (long)argument;
  own = number + syscall(SYS_gettid);
  pthread_barrier_wait(&begun);
  if (number % 2) CHECK(sem_wait(&semaphore) == 0);
  pthread_mutex_lock(&lock);
  while (number % 2 == 0 && generation == 0) pthread_cond_wait(&go_on, &lock);
  CHECK(own == number + syscall(SYS_gettid));
  through++;
  pthread_mutex_unlock(&lock);
  return NULL;
}

int main(int argc, char **argv) {
  int count = atoi(argv[argc - 1]);
  pthread_t *threads = calloc(count, sizeof *threads);
  pthread_attr_t small;
  sigset_t usr1;
  prepare();
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  sigprocmask(SIG_BLOCK, &usr1, NULL);
  sem_init(&semaphore, 0, 0);
  pthread_barrier_init(&begun, NULL, count + 1);
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  for (long i = 0; i < count; i++) {
    CHECK(pthread_create(&threads[i], &small, run, (void *)i) == 0);
  }
  pthread_barrier_wait(&begun);
  sigprocmask(SIG_UNBLOCK, &usr1, NULL);
  wait_for_restart();
  CHECK(through == 0);
  pthread_mutex_lock(&lock);
  generation = 1;
  pthread_cond_broadcast(&go_on);
  pthread_mutex_unlock(&lock);
  for (int i = 0; i < count; i++) sem_post(&semaphore);
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
  CHECK(through == count);
  return finish();
}
