/* Huge pages of hugetlbfs: private ones, shared ones, a sealed memfd that is mapped and one that is
 * only open; holes in them. Prints "ready", or "none" where this machine has too few; on SIGUSR1
 * looks at all of it: "kept", or what was lost. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1L << 20)
#define READ_WRITE (PROT_READ | PROT_WRITE)

static int lost;
static volatile sig_atomic_t asked;
static void ask(int number) { (void)number, asked = 1; }

static void check(int holds, const char *what) {
  if (holds) return;
  lost = 1;
  printf("lost: %s (%s)\n", what, strerror(errno));
}

int main(void) {
  int flags = MAP_ANONYMOUS | MAP_HUGETLB;
  char *own = mmap(NULL, 6 * MIB, READ_WRITE, MAP_PRIVATE | flags, -1, 0);
  char *shared = mmap(NULL, 4 * MIB, READ_WRITE, MAP_SHARED | flags, -1, 0);
  int sealed = memfd_create("huge and sealed", MFD_HUGETLB | MFD_ALLOW_SEALING);
  int open_only = memfd_create("huge", MFD_HUGETLB | MFD_CLOEXEC);
  if (own == MAP_FAILED || shared == MAP_FAILED || sealed < 0 || open_only < 0 ||
      ftruncate(sealed, 6 * MIB) != 0 || ftruncate(open_only, 4 * MIB) != 0) {
    printf("none\n");
    return 0;
  }
  char *file = mmap(NULL, 4 * MIB, READ_WRITE, MAP_SHARED, sealed, 2 * MIB);
  char *mine = mmap(NULL, 2 * MIB, READ_WRITE, MAP_PRIVATE, sealed, 2 * MIB);
  char *once = mmap(NULL, 4 * MIB, READ_WRITE, MAP_SHARED, open_only, 0);
  if (file == MAP_FAILED || mine == MAP_FAILED || once == MAP_FAILED) {
    printf("none\n");
    return 0;
  }
  strcpy(own + 3 * MIB, "private");
  mprotect(own + 2 * MIB, 2 * MIB, PROT_READ);
  madvise(own, 2 * MIB, MADV_DONTFORK);
  strcpy(shared + 2 * MIB + 77, "shared");
  strcpy(file + 100, "sealed");
  strcpy(mine, "mine alone");
  strcpy(once + 2 * MIB, "behind a descriptor");
  munmap(once, 4 * MIB);
  fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
  signal(SIGUSR1, ask);
  printf("ready\n"), fflush(stdout);
  while (!asked) pause();
  struct stat stat;
  check(strcmp(own + 3 * MIB, "private") == 0 && own[0] == 0, "private pages");
  check(strcmp(shared + 2 * MIB + 77, "shared") == 0 && shared[0] == 0, "shared pages");
  check(strcmp(file + 100, "sealed") == 0, "a memfd");
  check(strcmp(mine, "mine alone") == 0, "a private mapping of a memfd");
  check(fcntl(sealed, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW), "seals");
  check(ftruncate(sealed, 8 * MIB) < 0 && errno == EPERM, "what seals do");
  check(fstat(sealed, &stat) == 0 && stat.st_blksize == 2 * MIB, "the size of its pages");
  once = mmap(NULL, 4 * MIB, READ_WRITE, MAP_SHARED, open_only, 0);
  check(once != MAP_FAILED && strcmp(once + 2 * MIB, "behind a descriptor") == 0, "a descriptor");
  check(once != MAP_FAILED && once[0] == 0, "a hole");
  check(fcntl(open_only, F_GETFD) == FD_CLOEXEC, "a flag of a descriptor");
  file[0] = 1, own[0] = 1, shared[0] = 1;
  printf(lost ? "not all\n" : "kept\n"), fflush(stdout);
  return lost;
}
