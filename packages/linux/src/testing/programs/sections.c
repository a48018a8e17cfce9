/* Adds to a counter at the end of a restartable sequence that takes long: a stop falls into it almost
 * always. Who stops it there sets `stopped`: the thread must then come to the abort handler, which
 * clears it, and not to the end of the sequence. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/rseq.h>
#include <unistd.h>

struct section {
  uint32_t version, flags;
  uint64_t start, length, abort;
} __attribute__((aligned(32)));

static volatile uint64_t commits, aborts, stopped;

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct rseq *rseq = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
  if (__rseq_size == 0) {
    printf("no rseq\n");
    return 1;
  }
  printf("stopped at %p\n", (void *)&stopped);
  for (;;) {
    uint64_t rounds = 40000000;
    __asm__ volatile(
        ".pushsection __sections, \"aw\"\n.balign 32\n"
        "3: .long 0, 0\n.quad 1f, 2f - 1f, 4f\n.popsection\n"
        "lea 3b(%%rip), %%rax\n"
        "mov %%rax, %[cs]\n"
        "1: dec %[rounds]\njnz 1b\n"
        "incq %[commits]\n"
        "2: jmp 5f\n"
        ".byte 0x0f, 0xb9, 0x3d\n.long 0x53053053\n" /* RSEQ_SIG */
        "4: incq %[aborts]\nmovq $0, %[stopped]\n"
        "5:\n"
        : [rounds] "+r"(rounds), [cs] "=m"(rseq->rseq_cs), [commits] "+m"(commits),
          [aborts] "+m"(aborts), [stopped] "+m"(stopped)
        :
        : "rax", "memory", "cc");
    if (stopped) printf("BAD went on\n");
    stopped = 0;
    printf("commits %lu aborts %lu\n", commits, aborts);
  }
}
