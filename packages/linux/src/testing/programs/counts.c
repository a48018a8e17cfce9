/* Counts every millisecond, in memory and in a vector register. Prints where the counter is. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long count = 0;

int main(void) {
  printf("%p\n", (void *)&count);
  fflush(stdout);
  fclose(stdin);
  fclose(stdout);
  fclose(stderr);
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
