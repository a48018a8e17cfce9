/* Processes that cannot be frozen. Argument: "zombie" leaves a child unwaited and says its pid;
 * "tracer PID" traces that process; "filtered" sets seccomp. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (strcmp(argv[1], "zombie") == 0) {
    int pid = fork();
    if (pid == 0) _exit(0);
    siginfo_t info;
    waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
    printf("child %d\n", pid);
  } else if (strcmp(argv[1], "tracer") == 0) {
    if (ptrace(PTRACE_SEIZE, atoi(argv[2]), 0, 0) == 0) printf("go\n");
  } else {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {1, &allow};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) printf("go\n");
  }
  pause();
}
