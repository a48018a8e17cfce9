/*
 * Everything that a process can be told beside memory and descriptors: signals, timers, limits,
 * names, scheduling, threads. On SIGTERM it exits with the number of defects that it finds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int woken, defects;
static char stack[3][1 << 16];
static stack_t stacks[3];

static void check(int right, const char *what) {
  if (right) return;
  (void)what;
  defects++;
}

static void handle(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info, (void)context;
}

static void *thread(void *argument) {
  long number = (long)argument;
  char name[16];
  snprintf(name, sizeof name, "worker %ld (\n)", number);
  pthread_setname_np(pthread_self(), name);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1 + 2 * number);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  stacks[number] = (stack_t){.ss_sp = stack[number], .ss_size = sizeof stack[number]};
  sigaltstack(&stacks[number], NULL);
  prctl(PR_SET_TIMERSLACK, 70000 + number);
  setpriority(PRIO_PROCESS, syscall(SYS_gettid), 3 + number);
  syscall(SYS_ioprio_set, 1, 0, 2 << 13 | (4 + number));
  if (number == 2) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1 + 2 * number);
  pthread_mutex_lock(&mutex);
  if (number == 2) printf("ready\n"), fflush(stdout), close_range(0, ~0U, 0);
  while (!woken) pthread_cond_wait(&condition, &mutex);
  pthread_mutex_unlock(&mutex);
  stack_t now;
  sigaltstack(NULL, &now);
  check(now.ss_sp == stack[number] && now.ss_size == sizeof stack[number], "sigaltstack");
  pthread_sigmask(SIG_SETMASK, NULL, &set);
  check(sigismember(&set, SIGUSR1 + 2 * number), "mask");
  check(syscall(SYS_ioprio_get, 1, 0) == (2 << 13 | (4 + number)), "ioprio");
  check(prctl(PR_GET_TIMERSLACK) == 70000 + number, "slack");
  char got[16];
  prctl(PR_GET_NAME, got);
  check(!strcmp(got, name), "name");
  return NULL;
}

static void set_timers(void) {
  struct itimerval slow = {{1000, 5}, {2000, 7}};
  setitimer(ITIMER_REAL, &slow, NULL);
  setitimer(ITIMER_PROF, &slow, NULL);
  static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};
  for (int i = 0; i < 3; i++) {
    timer_t id;
    struct sigevent event = {.sigev_notify = i == 1 ? SIGEV_NONE : SIGEV_SIGNAL,
                             .sigev_signo = SIGRTMIN + i,
                             .sigev_value.sival_ptr = (void *)0x1234};
    syscall(SYS_timer_create, clocks[i], &event, &id);
    struct itimerspec spec = {{3, 4}, {500 + i, 0}};
    if (i != 0) syscall(SYS_timer_settime, (long)(int)(long)id, 0, &spec, NULL);
  }
  syscall(SYS_timer_delete, 0);
}

int main(void) {
  umask(0127);
  if (chdir("/usr/lib")) return 100;
  personality(ADDR_NO_RANDOMIZE);
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaddset(&action.sa_mask, SIGHUP);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGRTMIN + 5, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < 6; i++) sigaddset(&set, SIGRTMIN + i);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  for (int i = 0; i < 3; i++) sigqueue(getpid(), SIGRTMIN + 4, (union sigval){.sival_int = i});
  struct rlimit files = {100, 200}, core = {0, 0}, cpu = {5000, 6000};
  setrlimit(RLIMIT_NOFILE, &files);
  setrlimit(RLIMIT_CORE, &core);
  setrlimit(RLIMIT_CPU, &cpu);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  set_timers();
  pthread_t threads[3];
  for (long i = 0; i < 3; i++) pthread_create(&threads[i], NULL, thread, (void *)i);
  int got;
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  while (sigwait(&wanted, &got) != 0) continue;
  pthread_mutex_lock(&mutex);
  woken = 1;
  pthread_cond_broadcast(&condition);
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  sigset_t queued;
  sigemptyset(&queued);
  sigaddset(&queued, SIGRTMIN + 4);
  for (int i = 0; i < 3; i++) {
    siginfo_t info;
    check(sigwaitinfo(&queued, &info) == SIGRTMIN + 4 && info.si_value.sival_int == i, "queued");
  }
  int subreaper = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  check(subreaper == 1, "subreaper");
  check(prctl(PR_GET_DUMPABLE) == 0, "dumpable");
  check(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1, "thp");
  check(umask(0) == 0127, "umask");
  struct itimerval timer;
  getitimer(ITIMER_REAL, &timer);
  check(timer.it_interval.tv_sec == 1000 && timer.it_interval.tv_usec == 5, "interval");
  check(timer.it_value.tv_sec >= 1900 && timer.it_value.tv_sec <= 2000, "value");
  getitimer(ITIMER_PROF, &timer);
  check(timer.it_value.tv_sec >= 1990 && timer.it_value.tv_sec <= 2000, "prof");
  for (int i = 1; i < 3; i++) {
    struct itimerspec spec;
    check(syscall(SYS_timer_gettime, i, &spec) == 0 && spec.it_interval.tv_nsec == 4, "timer");
    check(spec.it_value.tv_sec >= 400 && spec.it_value.tv_sec <= 500 + i, "timer value");
  }
  return defects;
}
