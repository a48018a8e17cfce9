/* A program and its library (-DLIBRARY='"text"'). SIGUSR1: prints what the library says, and how
 * often it was asked; SIGUSR2: runs itself once more by /proc/self/exe, which prints "again". */
#define _GNU_SOURCE
#ifdef LIBRARY
int asked = 0;
const char *const texts[] = {LIBRARY, "unused"};

const char *greeting(int *count) {
  *count = ++asked;
  return texts[0];
}
#else
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

const char *greeting(int *count);

int main(int count, char **arguments) {
  sigset_t signals;
  int number, times;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGUSR2);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  greeting(&times);
  printf(count > 1 ? "again\n" : "ready\n");
  while (sigwait(&signals, &number) == 0) {
    const char *text = greeting(&times);
    printf("%s %d\n", text, times);
    if (number == SIGUSR2) execl("/proc/self/exe", arguments[0], "again", NULL);
  }
}
#endif
