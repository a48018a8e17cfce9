/*
 * Becomes somebody else: user 12345, groups 23456, 34567 and 45678, some capabilities, one of them
 * ambient, a smaller bounding set; with a second thread. Then nothing more.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void must(int result, const char *what) {
  if (result == 0) return;
  perror(what);
  exit(1);
}

static void *wait_for_ever(void *argument) {
  for (;;) pause();
  return argument;
}

int main(void) {
  gid_t groups[] = {34567, 45678};
  must(setgroups(2, groups), "setgroups");
  must(prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0), "drop");
  must(prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE, 0, 0, 0), "drop");
  must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep");
  must(setresgid(23456, 23456, 23456), "setresgid");
  must(setresuid(12345, 12345, 12345), "setresuid");
  unsigned some = 1 << CAP_KILL | 1 << CAP_NET_BIND_SERVICE;
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {
      {.effective = 1 << CAP_KILL, .permitted = some, .inheritable = some}};
  must(syscall(SYS_capset, &header, data), "capset");
  must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), "ambient");
  must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable");
  pthread_t thread;
  must(pthread_create(&thread, NULL, wait_for_ever, NULL), "thread");
  printf("ready\n");
  fflush(stdout);
  close_range(0, ~0U, 0);
  for (;;) pause();
}
