/* Files without a name, mapped and open: memfds with seals and holes, deleted files, a program that
 * runs from a memfd. Argument: a directory. */
#define _GNU_SOURCE
#include "resumed.h"
#include <sys/mman.h>
#include <sys/wait.h>

enum { page = 4096 };
#define READ_WRITE (PROT_READ | PROT_WRITE)
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif

static char *map(int fd, int protection, int flags, size_t pages, off_t offset) {
  char *memory = mmap(NULL, pages * page, protection, flags, fd, offset * page);
  CHECK(memory != MAP_FAILED);
  return memory;
}

static int same_file(int fd, const struct stat *before) {
  struct stat now;
  return fstat(fd, &now) == 0 && now.st_size == before->st_size && now.st_mode == before->st_mode &&
         now.st_uid == before->st_uid && now.st_nlink == 0;
}

/* True when the page at that place faults as beyond the end of its file. */
static int faults(const char *place) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    signal(SIGBUS, SIG_DFL);
    _exit(*(volatile const char *)place);
  }
  return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS;
}

static void copy_itself(int to) {
  char bytes[1 << 16];
  int from = open("/proc/self/exe", O_RDONLY);
  for (ssize_t count; (count = read(from, bytes, sizeof bytes)) > 0;)
    if (write(to, bytes, count) != count) _exit(8);
  close(from);
}

int main(int argc, char **argv) {
  const char *home = argv[1];
  struct stat shared_was, sealed_was, deleted_was, gone_was;
  char name[256], text[64];
  prepare();
  if (argc == 2) {
    /* Once more, from memory. */
    int program = memfd_create("program", 0);
    copy_itself(program);
    char number[16];
    snprintf(number, sizeof number, "%d", program);
    char *arguments[] = {argv[0], argv[1], number, NULL};
    fexecve(program, arguments, environ);
    return 9;
  }
  int program = atoi(argv[2]);

  /* One object: two descriptions, three mappings, a hole of 1 GiB, a part beyond the end. */
  int shared = memfd_create("shared one", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  CHECK(ftruncate(shared, (1L << 30) + 100) == 0);
  int again = open("/proc/self/fd/0", O_RDONLY);
  close(again);
  snprintf(name, sizeof name, "/proc/self/fd/%d", shared);
  again = open(name, O_RDWR | O_APPEND);
  char *first = map(shared, READ_WRITE, MAP_SHARED, 4, 0);
  char *view = map(shared, PROT_READ, MAP_SHARED, 3, 1);
  char *own = map(shared, READ_WRITE, MAP_PRIVATE, 4, 0);
  char *tail = map(shared, READ_WRITE, MAP_SHARED, 3, (1L << 30) / page);
  strcpy(first + page, "through memory");
  CHECK(pwrite(shared, "x", 1, 0) == 1 && lseek(again, 1, SEEK_SET) == 1);
  CHECK(lseek(shared, 3 * page, SEEK_SET) == 3 * page && write(shared, "by file", 7) == 7);
  strcpy(own + 2 * page, "private");
  strcpy(tail, "after the hole");
  CHECK(fstat(shared, &shared_was) == 0);
  CHECK(fcntl(shared, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE) == 0);

  /* Sealed for good, mapped for reading; a memfd of which only a mapping is left. */
  int sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
  CHECK(write(sealed, "never changed", 13) == 13 && fchmod(sealed, 0750) == 0);
  CHECK(fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0);
  char *fixed = map(sealed, PROT_READ, MAP_SHARED, 1, 0);
  CHECK(fstat(sealed, &sealed_was) == 0);
  int only = memfd_create("only mapped", 0);
  CHECK(ftruncate(only, 5 * page) == 0);
  char *left = map(only, READ_WRITE, MAP_SHARED, 2, 1), *right = map(only, READ_WRITE, MAP_SHARED, 2, 2);
  strcpy(left + page, "seen by both");
  close(only);
  int empty = memfd_create("", 0);

  /* Deleted files: mapped and open, mapped alone, private with pages of its own. */
  snprintf(name, sizeof name, "%s/deleted", home);
  int deleted = open(name, O_RDWR | O_CREAT | O_TRUNC, 0604);
  CHECK(ftruncate(deleted, 3 * page + 5) == 0 && pwrite(deleted, "on disk", 7, page) == 7);
  char *file = map(deleted, READ_WRITE, MAP_SHARED, 5, 0);
  char *mine = map(deleted, READ_WRITE, MAP_PRIVATE, 4, 0);
  strcpy(file + 2 * page, "in memory");
  strcpy(mine + 3 * page, "mine");
  CHECK(unlink(name) == 0 && fstat(deleted, &deleted_was) == 0);
  snprintf(name, sizeof name, "%s/gone", home);
  int gone = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(write(gone, "of a library", 12) == 12);
  char *library = map(gone, PROT_READ | PROT_EXEC, MAP_PRIVATE, 1, 0);
  CHECK(unlink(name) == 0 && fstat(gone, &gone_was) == 0);
  close(gone);

  wait_for_restart();

  CHECK(strcmp(first + page, "through memory") == 0 && strcmp(view, "through memory") == 0);
  CHECK(strcmp(own + page, "through memory") == 0 && strcmp(own + 2 * page, "private") == 0);
  CHECK(first[0] == 'x' && memcmp(first + 3 * page, "by file", 7) == 0 && first[2 * page] == 0);
  strcpy(first + 2 * page, "written later");
  CHECK(strcmp(view + page, "written later") == 0 && strcmp(own + 2 * page, "private") == 0);
  CHECK(pread(shared, text, 14, 2 * page) == 14 && strcmp(text, "written later") == 0);
  CHECK(strcmp(tail, "after the hole") == 0 && faults(tail + page) && faults(tail + 2 * page));
  CHECK(same_file(shared, &shared_was) && same_file(again, &shared_was));
  struct stat now;
  CHECK(fstat(shared, &now) == 0 && now.st_blocks < 1000);
  CHECK(fcntl(shared, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE));
  CHECK(fcntl(shared, F_GETFD) == FD_CLOEXEC && fcntl(again, F_GETFD) == 0);
  CHECK(lseek(shared, 0, SEEK_CUR) == 3 * page + 7 && lseek(again, 0, SEEK_CUR) == 1);
  CHECK(flags_of(shared) == O_RDWR && flags_of(again) == (O_RDWR | O_APPEND));
  CHECK(pwrite(shared, "y", 1, 0) < 0 && errno == EPERM);
  CHECK(mprotect(view, page, READ_WRITE) == 0);

  CHECK(strcmp(fixed, "never changed") == 0 && same_file(sealed, &sealed_was));
  CHECK(fcntl(sealed, F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL));
  CHECK(write(sealed, "no", 2) < 0 && mprotect(fixed, page, READ_WRITE) < 0);
  CHECK(strcmp(left + page, "seen by both") == 0 && strcmp(right, "seen by both") == 0);
  strcpy(right, "still one");
  CHECK(strcmp(left + page, "still one") == 0);
  CHECK(lseek(empty, 0, SEEK_END) == 0 && fcntl(empty, F_GET_SEALS) == F_SEAL_SEAL);

  CHECK(strcmp(file + page, "on disk") == 0 && strcmp(mine + 2 * page, "in memory") == 0);
  CHECK(strcmp(mine + 3 * page, "mine") == 0 && file[3 * page] == 0);
  CHECK(same_file(deleted, &deleted_was) && faults(file + 4 * page));
  CHECK(pwrite(deleted, "by descriptor", 14, 0) == 14 && strcmp(file, "by descriptor") == 0);
  CHECK(strcmp(mine, "by descriptor") == 0 && strcmp(library, "of a library") == 0);

  ssize_t length = readlink("/proc/self/exe", text, sizeof text - 1);
  CHECK(length > 0 && (text[length] = 0, strcmp(text, "/memfd:program (deleted)") == 0));
  CHECK(fstat(program, &now) == 0 && now.st_size > page);
  CHECK(pwrite(program, "x", 1, 0) == 1 || errno == ETXTBSY);
  return finish();
}
