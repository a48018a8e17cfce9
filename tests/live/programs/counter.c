/* Counts in memory, in a file and in an AVX register; all three must always agree.
 * One line "N\n" per step goes to the file argv[1]; "BAD ..." and exit 1 when they disagree. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Raw calls only: libc might use the vector registers between two steps. */
static long call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}

static volatile uint64_t in_memory;
static double in_double = 0.5;

static int text(char *to, uint64_t n) {
  char reversed[24];
  int length = 0, i;
  do reversed[length++] = '0' + n % 10; while (n /= 10);
  for (i = 0; i < length; i++) to[i] = reversed[length - 1 - i];
  to[length] = '\n';
  return length + 1;
}

int main(int argc, char **argv) {
  static const uint64_t ones[4] = {1, 1, 1, 1};
  uint64_t lanes[4];
  char line[32];
  struct timespec pause = {0, 5000000};
  int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (argc < 2 || fd < 0) return 2;
  __asm__ volatile("vpxor %%ymm15, %%ymm15, %%ymm15\n vmovdqu %0, %%ymm14" ::"m"(ones) : "memory");
  for (;;) {
    __asm__ volatile("vpaddq %%ymm14, %%ymm15, %%ymm15\n vmovdqu %%ymm15, %0" : "=m"(lanes)::"memory");
    in_memory++;
    int bad = 0, i;
    for (i = 0; i < 4; i++) bad |= lanes[i] != in_memory;
    in_double += 1.0;
    bad |= in_double != (double)in_memory + 0.5;
    if (bad) {
      call(SYS_write, fd, (long)"BAD\n", 4);
      call(SYS_exit_group, 1, 0, 0);
    }
    call(SYS_write, fd, (long)line, text(line, in_memory));
    call(SYS_nanosleep, (long)&pause, 0, 0);
  }
}
