/* Waits in vfork(2) for a child that sleeps; says how long it took. Argument: milliseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("go\n");
  struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  if (vfork() == 0) {
    usleep(atoi(argv[1]) * 1000);
    _exit(0);
  }
  clock_gettime(CLOCK_MONOTONIC, &b);
  printf("waited %.3f\n", (b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) / 1e9);
  pause();
}
