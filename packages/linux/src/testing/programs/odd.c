/*
 * One thing that cannot be carried, named by the argument; then nothing more. Says "ready", or
 * "cannot" where this machine has no such thing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { page = 4096 };

static void *map(int flags, int fd) {
  return mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, flags, fd, 0);
}

static _Noreturn void end(const char *word) {
  printf("%s\n", word);
  fflush(stdout);
  close_range(0, ~0U, 0);
  for (;;) pause();
}

static int userfault(void) {
  int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
  struct uffdio_api api = {.api = UFFD_API};
  if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0) return -1;
  struct uffdio_register range = {
      .range = {(uintptr_t)map(MAP_PRIVATE | MAP_ANONYMOUS, -1), 2 << 20},
      .mode = UFFDIO_REGISTER_MODE_MISSING};
  /* A registration lasts as long as its descriptor: one that no close_range(2) finds. */
  if (ioctl(fd, UFFDIO_REGISTER, &range) != 0) return -1;
  printf("ready\n");
  fflush(stdout);
  close_range(0, fd - 1, 0);
  for (;;) pause();
}

static int filter(void) {
  struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  struct sock_fprog program = {1, &allow};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int make(const char *what) {
  if (!strcmp(what, "sysv")) {
    int id = shmget(IPC_PRIVATE, page, IPC_CREAT | 0600);
    void *memory = shmat(id, NULL, 0);
    shmctl(id, IPC_RMID, NULL);
    return memory == (void *)-1;
  }
  if (!strcmp(what, "aio")) {
    aio_context_t context = 0;
    return syscall(SYS_io_setup, 8, &context);
  }
  if (!strcmp(what, "pkey")) {
    int key = pkey_alloc(0, 0);
    return key < 0 ? -1 : pkey_mprotect(map(MAP_PRIVATE | MAP_ANONYMOUS, -1), page, PROT_READ, key);
  }
  if (!strcmp(what, "reached")) {
    char name[64];
    void *memory = map(MAP_SHARED | MAP_ANONYMOUS, -1);
    snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (long)memory, (long)memory + page);
    return map(MAP_PRIVATE, open(name, O_RDWR)) == MAP_FAILED ? -1 : 0;
  }
  if (!strcmp(what, "shared") || !strcmp(what, "memfd")) {
    int fd = *what == 'm' ? memfd_create("both", 0) : -1;
    if (fd >= 0 && ftruncate(fd, 2 << 20) != 0) return -1;
    volatile char *memory = map(MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd);
    int pid = fork();
    if (pid == 0 && fork() == 0) {
      *memory = 1;
      for (;;) pause();
    }
    if (pid == 0) _exit(0);
    while (*memory == 0) usleep(1000);
    return waitpid(pid, NULL, 0) != pid;
  }
  if (!strcmp(what, "device")) return map(MAP_SHARED, open("/dev/mem", O_RDWR)) == MAP_FAILED;
  if (!strcmp(what, "child")) return fork() < 0;
  if (!strcmp(what, "zombie")) {
    if (fork() == 0) _exit(0);
    return 0;
  }
  if (!strcmp(what, "seccomp")) return filter();
  if (!strcmp(what, "namespace")) return unshare(CLONE_NEWUTS);
  if (!strcmp(what, "chroot")) return chroot("/usr");
  if (!strcmp(what, "userfault")) return userfault();
  if (!strcmp(what, "deadline")) {
    struct {
      uint32_t size, policy;
      uint64_t flags;
      int32_t nice;
      uint32_t priority;
      uint64_t runtime, deadline, period;
    } attributes = {48, 6, 0, 0, 0, 1000000, 50000000, 100000000};
    return syscall(SYS_sched_setattr, 0, &attributes, 0);
  }
  if (!strcmp(what, "tsc")) return prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
  if (!strcmp(what, "mdwe")) return prctl(65, 1, 0, 0, 0);
  return -1;
}

int main(int argc, char **argv) {
  end(argc == 2 && make(argv[1]) == 0 ? "ready" : "cannot");
}
