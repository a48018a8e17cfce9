/* Many things that cannot be carried, in one process: descriptors of /proc/self, threads with
 * descriptors or a directory of their own, a segment, memory that is hidden from the kernel.
 * Prints "ready"; when the file of its argument is there, "unharmed" and exit 4. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char *end;
static volatile int apart;

static void until_end(void) {
  struct timespec pause = {0, 5000000};
  while (access(end, F_OK) != 0) nanosleep(&pause, NULL);
}

static void *alone(void *flags) {
  unshare((int)(long)flags);
  __sync_fetch_and_add(&apart, 1);
  until_end();
  return NULL;
}

int main(int count, char **arguments) {
  struct user_desc segment = {.entry_number = 3, .limit = 0xfffff, .seg_32bit = 1, .useable = 1};
  struct timespec pause = {0, 1000000};
  pthread_t threads[2];
  if (count < 2) return 9;
  end = arguments[1];
  if (open("/proc/self/status", O_RDONLY) < 0) return 9;
  if (syscall(SYS_modify_ldt, 1, &segment, sizeof segment) != 0) printf("no segments\n");
  pthread_create(&threads[0], NULL, alone, (void *)(long)CLONE_FS);
  pthread_create(&threads[1], NULL, alone, (void *)(long)CLONE_FILES);
  while (apart < 2) nanosleep(&pause, NULL);
  printf("ready\n");
  fflush(stdout);
  until_end();
  pthread_join(threads[0], NULL);
  pthread_join(threads[1], NULL);
  printf("unharmed\n");
  return 4;
}
