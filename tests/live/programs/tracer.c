/* Traces a process and lets it run: what a debugger does. usage: tracer PID; prints "attached". */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2 || ptrace(PTRACE_SEIZE, atoi(argv[1]), 0, 0)) return 1;
  printf("attached\n"), fflush(stdout);
  pause();
}
