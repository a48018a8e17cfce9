/* Sleeps again and again, and says when a sleep was not what it should be. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static volatile int handled;

static void on_signal(int signal) { handled += signal == SIGUSR1; }

/* Arguments: milliseconds of one sleep, how many (0: for ever), milliseconds it may be late. */
int main(int argc, char **argv) {
  double wanted = atoi(argv[1]) / 1e3, slack = atoi(argv[3]) / 1e3;
  int rounds = atoi(argv[2]);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  sigprocmask(SIG_SETMASK, &blocked, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("go\n");
  for (int i = 1; rounds == 0 || i <= rounds; i++) {
    struct timespec t = {(time_t)wanted, (long)((wanted - (time_t)wanted) * 1e9)};
    double start = now();
    int before = handled;
    int result = nanosleep(&t, &t), error = errno;
    double took = now() - start;
    if (result == -1 && error == EINTR && handled > before) printf("interrupted %d\n", i);
    else if (result != 0) printf("BAD result %s\n", strerror(error));
    else if (took < wanted) printf("BAD short %f\n", took);
    else if (took > wanted + slack) printf("BAD long %f\n", took);
    else printf("slept %d %.3f\n", i, took);
  }
  printf("end\n");
  return 0;
}
