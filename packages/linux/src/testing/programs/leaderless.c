/* The leader exits with 7 while other threads run on; SIGUSR1 ends those, SIGUSR2 stays pending. */
#define _GNU_SOURCE
#include "resumed.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t go_on = PTHREAD_COND_INITIALIZER;
static int generation;

static void *waiter(void *argument) {
  pthread_mutex_lock(&lock);
  while (generation == 0) pthread_cond_wait(&go_on, &lock);
  pthread_mutex_unlock(&lock);
  return argument;
}

static void *second(void *argument) {
  pthread_t other;
  sigset_t usr1, usr2, pending;
  unsigned long count = 0;
  int ends[2], event = eventfd(40, 0);
  char text[5] = "";
  CHECK(pipe(ends) == 0 && write(ends[1], "pipe", 4) == 4);
  sigemptyset(&usr1);
  sigemptyset(&usr2);
  sigaddset(&usr2, SIGUSR2);
  /* The other thread is not to take the signal that this one waits for. */
  sigaddset(&usr1, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &usr1, NULL);
  pthread_create(&other, NULL, waiter, argument);
  pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
  kill(getpid(), SIGUSR2);
  wait_for_restart();
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGUSR2) == 1);
  CHECK(read(event, &count, sizeof count) == 8 && count == 40);
  CHECK(read(ends[0], text, 4) == 4 && strcmp(text, "pipe") == 0);
  pthread_mutex_lock(&lock);
  generation = 1;
  pthread_cond_broadcast(&go_on);
  pthread_mutex_unlock(&lock);
  pthread_join(other, NULL);
  CHECK(getpid() != syscall(SYS_gettid));
  finish();
  return NULL;
}

int main(void) {
  pthread_t thread;
  sigset_t usr2;
  prepare();
  sigemptyset(&usr2);
  sigaddset(&usr2, SIGUSR2);
  sigprocmask(SIG_BLOCK, &usr2, NULL);
  prctl(PR_SET_NAME, "the leader");
  pthread_create(&thread, NULL, second, NULL);
  syscall(SYS_exit, 7);
}
