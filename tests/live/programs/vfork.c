/* A parent that waits for its vfork child: uninterruptible. usage: vfork MS; then prints "parent goes on". */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int ms = argc > 1 ? atoi(argv[1]) : 1000;
  printf("begin\n"), fflush(stdout);
  if (vfork() == 0) {
    struct timespec wait = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&wait, NULL);
    _exit(0);
  }
  printf("parent goes on\n"), fflush(stdout);
  pause();
}
