/* inotify: files and directories that are watched, with gaps between their numbers. */
#define _GNU_SOURCE
#include "resumed.h"
#include <sys/inotify.h>

static char path[4096];

static const char *in(const char *folder, const char *name) {
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void touch(const char *name) {
  int fd = open(name, O_CREAT | O_WRONLY, 0600);
  CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

/* The next event is that one. */
static int is_next(int fd, int wd, unsigned mask, const char *name) {
  char bytes[sizeof(struct inotify_event) + 256] __attribute__((aligned(8)));
  struct inotify_event *event = (void *)bytes;
  if (read(fd, bytes, sizeof bytes) <= 0 || event->wd != wd || event->mask != mask) return 0;
  return strcmp(event->len == 0 ? "" : event->name, name) == 0;
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : "/tmp/";
  prepare();
  int none = inotify_init1(IN_NONBLOCK), some = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  CHECK(none >= 0 && some >= 0);
  touch(in(folder, "watched"));
  CHECK(inotify_add_watch(some, folder, IN_CREATE) == 1);
  for (int n = 2; n < 600; n++) {
    CHECK(inotify_add_watch(some, in(folder, "watched"), IN_MODIFY) == n);
    if (n == 599) break;
    CHECK(inotify_rm_watch(some, n) == 0);
    CHECK(is_next(some, n, IN_IGNORED, ""));
  }
  CHECK(inotify_add_watch(some, "/", IN_DELETE_SELF | IN_ONESHOT) == 600);
  wait_for_restart();
  char byte;
  CHECK(read(none, &byte, 1) == -1 && errno == EAGAIN);
  CHECK(read(some, &byte, 1) == -1 && errno == EAGAIN);
  touch(in(folder, "made"));
  CHECK(is_next(some, 1, IN_CREATE, "made"));
  touch(in(folder, "watched"));
  CHECK(is_next(some, 599, IN_MODIFY, ""));
  CHECK(inotify_add_watch(some, in(folder, "made"), IN_MODIFY) == 601);
  touch(in(folder, "made"));
  CHECK(is_next(some, 601, IN_MODIFY, ""));
  CHECK(read(some, &byte, 1) == -1 && errno == EAGAIN);
  return finish();
}
