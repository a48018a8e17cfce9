/* Counts every millisecond, in memory and in a vector register. Prints where the counter is. */
#define _GNU_SOURCE
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long count = 0;

int main(void) {
  printf("%p\n", (void *)&count);
  fflush(stdout);
  close_range(0, ~0U, 0);
  double vector = 0;
  for (;;) {
    struct timespec time = {0, 1000000};
    nanosleep(&time, NULL);
    /* Kept in a register over the call, as far as the compiler likes. */
    __asm__ volatile("" : "+x"(vector));
    vector += 1;
    if (vector != (double)++count) return 3;
  }
}
