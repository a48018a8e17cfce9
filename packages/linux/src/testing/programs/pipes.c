/* Pipes and a FIFO with bytes in flight, halves of pipes. Argument: a directory. */
#define _GNU_SOURCE
#include "resumed.h"

enum { big = 200000 };
static char text[big], got[big];

int main(int argc, char **argv) {
  prepare();
  for (int i = 0; i < big; i++) text[i] = (char)(i * 7 % 251);
  int filled[2], full[2], packets[2], ended[2], broken[2];
  CHECK(pipe2(filled, O_CLOEXEC) == 0 && pipe2(full, O_NONBLOCK) == 0);
  CHECK(pipe2(packets, O_DIRECT) == 0 && pipe(ended) == 0 && pipe(broken) == 0);
  CHECK(write(filled[1], "in flight", 9) == 9);
  CHECK(fcntl(full[1], F_SETPIPE_SZ, 262144) == 262144);
  CHECK(write(full[1], text, big) == big);
  int shared = dup2(full[0], 50);
  char path[256];
  snprintf(path, sizeof path, "/proc/self/fd/%d", filled[0]);
  int second = open(path, O_RDONLY | O_NONBLOCK);
  CHECK(write(ended[1], "last", 4) == 4 && close(ended[1]) == 0);
  CHECK(close(broken[0]) == 0);
  signal(SIGPIPE, SIG_IGN);
  snprintf(path, sizeof path, "%s/fifo", argc > 1 ? argv[1] : ".");
  unlink(path);
  CHECK(mkfifo(path, 0600) == 0);
  int reader = open(path, O_RDONLY | O_NONBLOCK), writer = open(path, O_WRONLY | O_CLOEXEC);
  int both = open(path, O_RDWR);
  CHECK(write(writer, "through a path", 14) == 14);

  wait_for_restart();

  CHECK(flags_of(filled[0]) == O_RDONLY && flags_of(filled[1]) == O_WRONLY);
  CHECK(fcntl(filled[0], F_GETFD) == FD_CLOEXEC && fcntl(full[0], F_GETFD) == 0);
  CHECK(read(filled[0], got, 3) == 3 && memcmp(got, "in ", 3) == 0);
  CHECK(flags_of(second) == (O_RDONLY | O_NONBLOCK));
  CHECK(read(second, got, 100) == 6 && memcmp(got, "flight", 6) == 0);
  CHECK(read(second, got, 100) < 0 && errno == EAGAIN);
  CHECK(write(filled[1], "more", 4) == 4 && read(second, got, 100) == 4);
  CHECK(flags_of(full[1]) == (O_WRONLY | O_NONBLOCK) && fcntl(full[0], F_GETPIPE_SZ) == 262144);
  int total = 0;
  for (int n; (n = (int)read(shared, got + total, sizeof got - total)) > 0;) total += n;
  CHECK(total == big && memcmp(got, text, big) == 0 && errno == EAGAIN);
  CHECK(flags_of(packets[1]) == (O_WRONLY | O_DIRECT));
  CHECK(write(packets[1], "one", 3) == 3 && write(packets[1], "two", 3) == 3);
  CHECK(read(packets[0], got, 100) == 3 && read(packets[0], got, 100) == 3);
  CHECK(read(ended[0], got, 100) == 4 && memcmp(got, "last", 4) == 0);
  CHECK(read(ended[0], got, 100) == 0);
  CHECK(write(broken[1], "x", 1) < 0 && errno == EPIPE);
  CHECK(flags_of(reader) == (O_RDONLY | O_NONBLOCK) && flags_of(both) == O_RDWR);
  CHECK(read(reader, got, 100) == 14 && memcmp(got, "through a path", 14) == 0);
  CHECK(fcntl(writer, F_GETFD) == FD_CLOEXEC && write(writer, "y", 1) == 1);
  CHECK(read(both, got, 100) == 1);
  return finish();
}
