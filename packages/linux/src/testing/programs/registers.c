/* Computes with every register, the flags, the red zone and the vector registers holding a pattern
 * that nothing in the loop changes; says when one was changed. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct state {
  uint64_t general[14]; /* rax rbx rdx rsi rdi rbp r8 .. r15 */
  uint64_t flags;
  uint64_t vector[32];
  uint64_t red_zone[15];
};

void run(struct state *in, struct state *out, uint64_t rounds);

__asm__(
    ".text\n.globl run\n.type run,@function\nrun:\n"
    "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "push %rsi\n" /* out, at (%rsp) */
    "mov %rdx, %rcx\n"
    "pushq 112(%rdi)\npopfq\n"
#define VECTOR(n) "movdqu 120+16*" #n "(%rdi), %xmm" #n "\n"
    VECTOR(0) VECTOR(1) VECTOR(2) VECTOR(3) VECTOR(4) VECTOR(5) VECTOR(6) VECTOR(7)
    VECTOR(8) VECTOR(9) VECTOR(10) VECTOR(11) VECTOR(12) VECTOR(13) VECTOR(14) VECTOR(15)
#define RED(n) "mov 376+8*" #n "(%rdi), %rax\nmov %rax, -8-8*" #n "(%rsp)\n"
    RED(0) RED(1) RED(2) RED(3) RED(4) RED(5) RED(6) RED(7) RED(8) RED(9) RED(10) RED(11)
    RED(12) RED(13) RED(14)
    "mov (%rdi), %rax\nmov 8(%rdi), %rbx\nmov 16(%rdi), %rdx\nmov 24(%rdi), %rsi\n"
    "mov 40(%rdi), %rbp\nmov 48(%rdi), %r8\nmov 56(%rdi), %r9\nmov 64(%rdi), %r10\n"
    "mov 72(%rdi), %r11\nmov 80(%rdi), %r12\nmov 88(%rdi), %r13\nmov 96(%rdi), %r14\n"
    "mov 104(%rdi), %r15\nmov 32(%rdi), %rdi\n"
    /* Neither instruction changes a flag. */
    "1: lea -1(%rcx), %rcx\njrcxz 2f\njmp 1b\n"
    "2: mov (%rsp), %rcx\n"
    "mov %rax, (%rcx)\nmov %rbx, 8(%rcx)\nmov %rdx, 16(%rcx)\nmov %rsi, 24(%rcx)\n"
    "mov %rdi, 32(%rcx)\nmov %rbp, 40(%rcx)\nmov %r8, 48(%rcx)\nmov %r9, 56(%rcx)\n"
    "mov %r10, 64(%rcx)\nmov %r11, 72(%rcx)\nmov %r12, 80(%rcx)\nmov %r13, 88(%rcx)\n"
    "mov %r14, 96(%rcx)\nmov %r15, 104(%rcx)\n"
#define OUT_RED(n) "mov -8-8*" #n "(%rsp), %rax\nmov %rax, 376+8*" #n "(%rcx)\n"
    OUT_RED(0) OUT_RED(1) OUT_RED(2) OUT_RED(3) OUT_RED(4) OUT_RED(5) OUT_RED(6) OUT_RED(7)
    OUT_RED(8) OUT_RED(9) OUT_RED(10) OUT_RED(11) OUT_RED(12) OUT_RED(13) OUT_RED(14)
#define OUT_VECTOR(n) "movdqu %xmm" #n ", 120+16*" #n "(%rcx)\n"
    OUT_VECTOR(0) OUT_VECTOR(1) OUT_VECTOR(2) OUT_VECTOR(3) OUT_VECTOR(4) OUT_VECTOR(5)
    OUT_VECTOR(6) OUT_VECTOR(7) OUT_VECTOR(8) OUT_VECTOR(9) OUT_VECTOR(10) OUT_VECTOR(11)
    OUT_VECTOR(12) OUT_VECTOR(13) OUT_VECTOR(14) OUT_VECTOR(15)
    "pushfq\npopq 112(%rcx)\ncld\n"
    "pop %rsi\npop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

static uint64_t seed(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  return x ^ (x >> 27);
}

static void *compute(void *argument) {
  uint64_t base = (uintptr_t)argument * 1000003, bad = 0;
  for (uint64_t round = 0;; round++) {
    struct state in, out;
    uint64_t *words = (uint64_t *)&in;
    for (size_t i = 0; i < sizeof in / 8; i++) words[i] = seed(base + round * 1000 + i);
    /* Also what looks like an interrupted system call. */
    if (round % 4 == 0) in.general[0] = -516;
    in.flags = round % 2 ? 0xcd7 : 0x202;
    memset(&out, 0, sizeof out);
    run(&in, &out, 20000000);
    out.flags = (out.flags & 0xcd5) | 0x202;
    in.flags = (in.flags & 0xcd5) | 0x202;
    for (size_t i = 0; i < sizeof in / 8; i++) {
      if (((uint64_t *)&out)[i] == words[i]) continue;
      bad++;
      printf("BAD word %zu: %lx is %lx\n", i, words[i], ((uint64_t *)&out)[i]);
    }
    if ((uintptr_t)argument == 0) printf("round %lu\n", round);
  }
  return NULL;
}

/* Argument: how many threads compute beside the first. */
int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (uintptr_t i = 1; i <= (uintptr_t)atoi(argv[1]); i++) {
    pthread_t thread;
    pthread_create(&thread, NULL, compute, (void *)i);
  }
  compute(NULL);
}
