/* Waits for a signal without a time limit, and says each time it woke up and how often the handler
 * ran: a call that is made again although the handler ran would wait for ever. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile int handled;

static void on_signal(int signal) { handled++; }

/* Argument: "pause"; "suspend" blocks the signal but for the wait; "urgent" handles every signal
 * that is ignored by default as well, and says when one came. */
static void on_harmless(int signal) {
  if (write(1, "BAD signal\n", 11) != 11) _exit(1);
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  sigset_t blocked, none;
  sigemptyset(&none);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  int suspend = strcmp(argv[1], "suspend") == 0;
  if (suspend) sigprocmask(SIG_SETMASK, &blocked, NULL);
  if (strcmp(argv[1], "urgent") == 0) {
    struct sigaction harmless = {.sa_handler = on_harmless};
    sigaction(SIGURG, &harmless, NULL);
    sigaction(SIGWINCH, &harmless, NULL);
    sigaction(SIGCHLD, &harmless, NULL);
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("go\n");
  for (int woken = 1;; woken++) {
    int result = suspend ? sigsuspend(&none) : pause();
    printf("%s %d handled %d\n", result == -1 ? "woken" : "BAD", woken, handled);
  }
}
