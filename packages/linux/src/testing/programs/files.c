/* Regular files, directories, devices, a deleted file; shared offsets and locks. Argument: a directory. */
#define _GNU_SOURCE
#include "resumed.h"
#include <dirent.h>
#include <sys/file.h>
#include <sys/wait.h>

static char buffer[256];

static const char *in(const char *directory, const char *name) {
  snprintf(buffer, sizeof buffer, "%s/%s", directory, name);
  return buffer;
}

int main(int argc, char **argv) {
  const char *home = argc > 1 ? argv[1] : ".";
  prepare();
  char text[5000];
  for (unsigned i = 0; i < sizeof text; i++) text[i] = (char)('a' + i % 26);

  int written = open(in(home, "written"), O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0640);
  CHECK(write(written, text, 100) == 100);
  int shared = dup3(written, 40, O_CLOEXEC);
  CHECK(lseek(written, 7, SEEK_SET) == 7);
  int again = open(in(home, "written"), O_RDONLY);
  CHECK(lseek(again, 20, SEEK_SET) == 20);

  int deleted = open(in(home, "deleted"), O_RDWR | O_CREAT | O_TRUNC | O_NONBLOCK, 0604);
  CHECK(write(deleted, text, sizeof text) == sizeof text);
  int deleted_again = open(in(home, "deleted"), O_WRONLY | O_APPEND);
  CHECK(lseek(deleted, 4990, SEEK_SET) == 4990);
  CHECK(unlink(in(home, "deleted")) == 0);
  struct stat before, after;
  CHECK(fstat(deleted, &before) == 0);
  int nameless = open(home, O_RDWR | O_TMPFILE, 0600);
  CHECK(write(nameless, "nameless", 8) == 8);
  int empty = open(home, O_RDWR | O_TMPFILE, 0600);

  int directory = open(home, O_RDONLY | O_DIRECTORY);
  int reached = open(in(home, "written"), O_PATH);
  int null = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  int random = open("/dev/urandom", O_RDONLY);

  CHECK(flock(written, LOCK_EX) == 0);
  struct flock range = {.l_type = F_WRLCK, .l_start = 3, .l_len = 9};
  int locked = open(in(home, "locked"), O_RDWR | O_CREAT, 0600);
  CHECK(fcntl(locked, F_SETLK, &range) == 0);

  wait_for_restart();

  CHECK(flags_of(written) == (O_RDWR | O_APPEND));
  CHECK(lseek(written, 0, SEEK_CUR) == 7 && lseek(shared, 0, SEEK_CUR) == 7);
  CHECK(lseek(shared, 9, SEEK_SET) == 9 && lseek(written, 0, SEEK_CUR) == 9);
  CHECK(fcntl(shared, F_GETFD) == FD_CLOEXEC && fcntl(written, F_GETFD) == 0);
  CHECK(write(shared, "end", 3) == 3 && lseek(written, 0, SEEK_CUR) == 103);
  CHECK(read(again, text, 3) == 3 && memcmp(text, "uvw", 3) == 0);

  CHECK(flags_of(deleted) == (O_RDWR | O_NONBLOCK));
  CHECK(read(deleted, text, 100) == 10 && text[0] == 'a' + 4990 % 26);
  CHECK(write(deleted_again, "!", 1) == 1 && flags_of(deleted_again) == (O_WRONLY | O_APPEND));
  CHECK(read(deleted, text, 100) == 1 && text[0] == '!');
  CHECK(fstat(deleted, &after) == 0 && after.st_nlink == 0 && after.st_size == 5001);
  CHECK(after.st_mode == before.st_mode && after.st_dev == before.st_dev);
  CHECK(pread(nameless, text, 100, 0) == 8 && memcmp(text, "nameless", 8) == 0);
  CHECK(lseek(nameless, 0, SEEK_CUR) == 8);
  CHECK(fstat(empty, &after) == 0 && after.st_size == 0 && after.st_nlink == 0);

  int seen = 0;
  DIR *list = fdopendir(directory);
  for (struct dirent *entry; list && (entry = readdir(list));) {
    seen += strcmp(entry->d_name, "written") == 0;
    CHECK(strncmp(entry->d_name, ".ckpt", 5) != 0);
  }
  CHECK(seen == 1);
  CHECK(read(reached, text, 1) < 0 && errno == EBADF && fstat(reached, &after) == 0);
  CHECK(after.st_size == 103);
  CHECK(write(null, "x", 1) == 1 && read(zero, text, 1) == 1 && text[0] == 0);
  CHECK(fcntl(zero, F_GETFD) == FD_CLOEXEC && read(random, text, 8) == 8);

  int other = open(in(home, "written"), O_RDONLY);
  CHECK(flock(other, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK);
  if (fork() == 0) {
    CHECK(fcntl(locked, F_GETLK, &range) == 0 && range.l_type == F_WRLCK && range.l_pid == getppid());
    CHECK(range.l_start == 3 && range.l_len == 9);
    _exit(failures);
  }
  int status;
  CHECK(waitpid(-1, &status, 0) > 0 && status == 0);
  return finish();
}
