/*
 * Threads that wait for one another in every way, and have things of their own. Each checks what it
 * has when SIGUSR1 came, after a checkpoint or a restart.
 */
#define _GNU_SOURCE
#include "resumed.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

enum { waiters = 4 };

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t dead, dying, inheriting;
static pthread_cond_t go_on = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static int generation, through, at_barrier;
static int ready;
static __thread long own;
static __thread char room[4096];
static pthread_key_t key;
static volatile sig_atomic_t to_thread, wrong_thread, ticks;
static pid_t ticked;

static pid_t self(void) { return syscall(SYS_gettid); }

static void on_tick(int signal) {
  (void)signal;
  if (self() == ticked) ticks++;
  else wrong_thread++;
}

static void on_usr2(int signal) {
  (void)signal;
  to_thread++;
}

/* Every thread has its own storage, before and after. */
static void begin(long number) {
  own = number * 1000003 + self();
  memset(room, (int)number, sizeof room);
  pthread_setspecific(key, (void *)(number + 1));
  __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
}

static void check_own(long number) {
  CHECK(own == number * 1000003 + self());
  for (size_t i = 0; i < sizeof room; i++) CHECK(room[i] == (char)number);
  CHECK(pthread_getspecific(key) == (void *)(number + 1));
}

static void *for_mutex(void *argument) {
  begin((long)argument);
  pthread_mutex_lock(&held);
  check_own((long)argument);
  pthread_mutex_unlock(&held);
  return argument;
}

static void *for_condition(void *argument) {
  begin((long)argument);
  pthread_mutex_lock(&lock);
  while (generation == 0) pthread_cond_wait(&go_on, &lock);
  through++;
  pthread_mutex_unlock(&lock);
  check_own((long)argument);
  return argument;
}

static void *for_barrier(void *argument) {
  begin((long)argument);
  if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) at_barrier++;
  check_own((long)argument);
  return argument;
}

static void *for_semaphore(void *argument) {
  begin((long)argument);
  CHECK(sem_wait(&semaphore) == 0);
  pthread_rwlock_wrlock(&shared);
  pthread_rwlock_unlock(&shared);
  check_own((long)argument);
  return argument;
}

static void *for_join(void *other) {
  void *result;
  begin(77);
  CHECK(pthread_join(*(pthread_t *)other, &result) == 0 && result == (void *)1);
  check_own(77);
  return NULL;
}

/* Holds a robust mutex, and ends: at once, or when it is told to. */
static void *owner(void *mutex) {
  pthread_mutex_lock(mutex);
  begin(78);
  if (mutex == &dying) CHECK(sem_wait(&semaphore) == 0);
  return NULL;
}

/* Has its own scheduling, processor, slack, mask and pending signal. */
static void *special(void *argument) {
  sigset_t set, old, pending;
  cpu_set_t one, now;
  struct sched_param param = {0};
  int policy;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, &old);
  pthread_kill(pthread_self(), SIGUSR2);
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  sched_setaffinity(0, sizeof one, &one);
  sched_setscheduler(0, SCHED_BATCH, &param);
  setpriority(PRIO_PROCESS, self(), 7);
  prctl(PR_SET_TIMERSLACK, 123456);
  pthread_setname_np(pthread_self(), "special");
  begin((long)argument);
  CHECK(sem_wait(&semaphore) == 0);
  sched_getaffinity(0, sizeof now, &now);
  CHECK(CPU_EQUAL(&one, &now));
  CHECK(pthread_getschedparam(pthread_self(), &policy, &param) == 0 && policy == SCHED_BATCH);
  CHECK(getpriority(PRIO_PROCESS, self()) == 7);
  CHECK(prctl(PR_GET_TIMERSLACK) == 123456);
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGUSR2) == 1 && to_thread == 0);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  CHECK(to_thread == 1);
  check_own((long)argument);
  return NULL;
}

/* Real-time priority, and a timer that tells this thread alone. */
static void *clockwork(void *argument) {
  struct sched_param param = {.sched_priority = 3};
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
  struct itimerspec time = {{0, 20000000}, {0, 20000000}};
  int policy, isRealtime = sched_setscheduler(0, SCHED_RR, &param) == 0;
  timer_t timer;
  event._sigev_un._tid = ticked = self();
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  CHECK(timer_settime(timer, 0, &time, NULL) == 0);
  begin((long)argument);
  while (sem_wait(&semaphore) != 0) CHECK(errno == EINTR);
  int before = ticks;
  while (ticks < before + 3) pause();
  CHECK(timer_delete(timer) == 0);
  CHECK(pthread_getschedparam(pthread_self(), &policy, &param) == 0);
  CHECK(!isRealtime || (policy == SCHED_RR && param.sched_priority == 3));
  check_own((long)argument);
  return NULL;
}

static void make_mutexes(void) {
  pthread_mutexattr_t kind;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&dead, &kind);
  pthread_mutex_init(&dying, &kind);
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
  pthread_mutex_init(&inheriting, &kind);
}

static void start(pthread_t *thread, void *(*run)(void *), void *argument) {
  int before = ready;
  CHECK(pthread_create(thread, NULL, run, argument) == 0);
  while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) == before) usleep(1000);
}

int main(void) {
  pthread_t mutexes[waiters], conditions[waiters], barriers[waiters], semaphores[waiters];
  pthread_t joiner, first, second, odd, clock;
  sigset_t usr1;
  prepare();
  sigaction(SIGUSR2, &(struct sigaction){.sa_handler = on_usr2}, NULL);
  sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_tick}, NULL);
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  sigprocmask(SIG_BLOCK, &usr1, NULL);
  make_mutexes();
  pthread_key_create(&key, NULL);
  pthread_barrier_init(&barrier, NULL, waiters + 1);
  sem_init(&semaphore, 0, 0);
  pthread_mutex_lock(&held);
  pthread_mutex_lock(&inheriting);
  pthread_rwlock_rdlock(&shared);
  for (long i = 0; i < waiters; i++) {
    start(&mutexes[i], for_mutex, (void *)(1 + i));
    start(&conditions[i], for_condition, (void *)(11 + i));
    start(&barriers[i], for_barrier, (void *)(21 + i));
    start(&semaphores[i], for_semaphore, (void *)(31 + i));
  }
  start(&joiner, for_join, &mutexes[0]);
  start(&first, owner, &dead);
  pthread_join(first, NULL);
  start(&second, owner, &dying);
  start(&odd, special, (void *)41);
  start(&clock, clockwork, (void *)42);
  sigprocmask(SIG_UNBLOCK, &usr1, NULL);
  wait_for_restart();

  CHECK(through == 0 && at_barrier == 0);
  CHECK(pthread_mutex_lock(&dead) == EOWNERDEAD && pthread_mutex_consistent(&dead) == 0);
  CHECK(pthread_mutex_unlock(&dead) == 0);
  CHECK(pthread_mutex_trylock(&dying) == EBUSY);
  for (int i = 0; i < waiters + 3; i++) sem_post(&semaphore);
  pthread_join(second, NULL);
  CHECK(pthread_mutex_lock(&dying) == EOWNERDEAD);
  CHECK(pthread_mutex_unlock(&inheriting) == 0);
  pthread_rwlock_unlock(&shared);
  pthread_mutex_unlock(&held);
  pthread_mutex_lock(&lock);
  generation = 1;
  pthread_cond_broadcast(&go_on);
  pthread_mutex_unlock(&lock);
  if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) at_barrier++;
  pthread_join(joiner, NULL);
  for (int i = 0; i < waiters; i++) {
    if (i > 0) pthread_join(mutexes[i], NULL);
    pthread_join(conditions[i], NULL);
    pthread_join(barriers[i], NULL);
    pthread_join(semaphores[i], NULL);
  }
  pthread_join(odd, NULL);
  pthread_join(clock, NULL);
  CHECK(through == waiters && at_barrier == 1 && wrong_thread == 0 && ticks > 0);
  return finish();
}
