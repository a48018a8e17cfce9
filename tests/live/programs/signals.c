/* Signals of all sorts. Blocks SIGUSR2 and a real-time signal, handles SIGUSR1 on an alternate
 * stack, lets an interval timer tick. Lines: "ready", "usr1 N altstack 1", "ticks N" (every 20),
 * and on SIGHUP: "pending usr2 0|1 rt COUNT sum VALUES", after which it unblocks and prints
 * "taken usr2 N rt N sum V". SIGTERM: "bye", exit 7. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t usr1, on_stack, ticks, hup, term, usr2, rt, sum;
static char *stack;
enum { size = 65536 };

static void handler(int number, siginfo_t *info, void *context) {
  char here;
  (void)context;
  if (number == SIGUSR1) usr1++, on_stack = &here >= stack && &here < stack + size;
  else if (number == SIGALRM) ticks++;
  else if (number == SIGHUP) hup = 1;
  else if (number == SIGTERM) term = 1;
  else if (number == SIGUSR2) usr2++;
  else rt++, sum += info->si_value.sival_int;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
  struct itimerval timer = {{0, 10000}, {0, 10000}};
  stack_t alternate = {.ss_sp = stack = malloc(size), .ss_size = size};
  sigset_t blocked, pending;
  int seen = 0, told = 0;
  sigaltstack(&alternate, NULL);
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGRTMIN + 3, &action, NULL);
  signal(SIGTRAP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  sigaddset(&blocked, SIGRTMIN + 3);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
  puts("ready"), fflush(stdout);
  while (!term) {
    pause();
    if (usr1 != seen) printf("usr1 %d altstack %d\n", seen = usr1, (int)on_stack), fflush(stdout);
    if (ticks >= told + 20) printf("ticks %d\n", told = ticks), fflush(stdout);
    if (hup) {
      hup = 0;
      sigpending(&pending);
      printf("pending usr2 %d rt %d\n", sigismember(&pending, SIGUSR2), sigismember(&pending, SIGRTMIN + 3));
      sigprocmask(SIG_UNBLOCK, &blocked, NULL);
      printf("taken usr2 %d rt %d sum %d\n", (int)usr2, (int)rt, (int)sum), fflush(stdout);
      sigprocmask(SIG_BLOCK, &blocked, NULL);
      usr2 = rt = sum = 0;
    }
  }
  struct sigaction trap;
  sigaction(SIGTRAP, NULL, &trap);
  printf("bye trap %d\n", trap.sa_handler == SIG_IGN);
  return 7;
}
