/*
 * Opens a log that root alone may write, becomes nobody, and writes a line every few milliseconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void must(int result, const char *what) {
  if (result >= 0) return;
  perror(what);
  exit(1);
}

int main(int count, char **arguments) {
  must(count - 2, "a path");
  int log = open(arguments[1], O_WRONLY | O_APPEND | O_CREAT, 0600);
  must(log, "open");
  must(setgroups(0, NULL), "setgroups");
  must(setresgid(65534, 65534, 65534), "setresgid");
  must(setresuid(65534, 65534, 65534), "setresuid");
  printf("ready\n");
  fflush(stdout);
  must(dup2(log, 1), "dup2");
  must(dup2(log, 2), "dup2");
  for (unsigned line = 0;; line++) {
    dprintf(log, "%u\n", line);
    usleep(5000);
  }
}
