/*
 * Waits until a time of CLOCK_MONOTONIC in all ways there are: two timerfds, a timer of
 * timer_create, a thread in clock_nanosleep and one in a futex. After the restart no clock has gone
 * back, system calls and vdso agree about it, and all of them end at that time.
 */
#define _GNU_SOURCE
#include "resumed.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

static const long long second = 1000000000;
static long long due;
static struct timespec due_time;
static int word;

static long long in_nanoseconds(struct timespec time) {
  return time.tv_sec * second + time.tv_nsec;
}

static long long now(clockid_t clock) {
  struct timespec time;
  CHECK(clock_gettime(clock, &time) == 0);
  return in_nanoseconds(time);
}

static long long now_by_kernel(clockid_t clock) {
  struct timespec time;
  CHECK(syscall(SYS_clock_gettime, clock, &time) == 0);
  return in_nanoseconds(time);
}

static struct timespec time_of(long long nanoseconds) {
  return (struct timespec){nanoseconds / second, nanoseconds % second};
}

static int set_timerfd(clockid_t clock, long long at) {
  struct itimerspec spec = {.it_value = time_of(at)};
  int fd = timerfd_create(clock, 0);
  CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0);
  return fd;
}

static void check_timerfd(int fd) {
  struct pollfd one = {fd, POLLIN, 0};
  CHECK(poll(&one, 1, 20000) == 1);
}

static void *sleep_until(void *unused) {
  CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due_time, NULL) == 0);
  CHECK(now(CLOCK_MONOTONIC) >= due);
  return unused;
}

static void *wait_until(void *unused) {
  int operation = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;
  long result = syscall(SYS_futex, &word, operation, 0, &due_time, NULL, FUTEX_BITSET_MATCH_ANY);
  CHECK(result == -1 && errno == ETIMEDOUT);
  CHECK(now(CLOCK_MONOTONIC) >= due);
  return unused;
}

/* Forward, and not by more than a restart takes. */
static void check_clock(clockid_t clock, long long before) {
  long long after = now(clock), kernel = now_by_kernel(clock);
  CHECK(after >= before && after < before + 600 * second);
  CHECK(kernel >= after && kernel < after + second);
}

int main(int argc, char **argv) {
  prepare();
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGUSR2);
  sigprocmask(SIG_BLOCK, &ended, NULL);
  long long monotonic = now(CLOCK_MONOTONIC), boottime = now(CLOCK_BOOTTIME);
  long long wait = (argc > 1 ? atoll(argv[1]) : 1000) * 1000000;
  due = monotonic + wait;
  due_time = time_of(due);
  int first = set_timerfd(CLOCK_MONOTONIC, due);
  int second_one = set_timerfd(CLOCK_BOOTTIME, boottime + wait);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
  struct itimerspec spec = {.it_value = due_time};
  timer_t timer;
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  CHECK(timer_settime(timer, TIMER_ABSTIME, &spec, NULL) == 0);
  /* The signal that ends the wait for a restart is for this thread. */
  sigset_t continued, before;
  sigemptyset(&continued);
  sigaddset(&continued, SIGUSR1);
  sigprocmask(SIG_BLOCK, &continued, &before);
  pthread_t sleeper, waiter;
  CHECK(pthread_create(&sleeper, NULL, sleep_until, NULL) == 0);
  CHECK(pthread_create(&waiter, NULL, wait_until, NULL) == 0);
  sigprocmask(SIG_SETMASK, &before, NULL);

  wait_for_restart();

  check_clock(CLOCK_MONOTONIC, monotonic);
  check_clock(CLOCK_BOOTTIME, boottime);
  CHECK(pthread_join(sleeper, NULL) == 0);
  CHECK(pthread_join(waiter, NULL) == 0);
  check_timerfd(first);
  check_timerfd(second_one);
  CHECK(sigtimedwait(&ended, NULL, &(struct timespec){20, 0}) == SIGUSR2);
  CHECK(now(CLOCK_MONOTONIC) >= due);
  return finish();
}
