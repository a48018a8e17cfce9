/* A program in the foreground of a terminal, whose settings it changes. Argument: a file for its pid. */
#include "resumed.h"
#include <termios.h>

int main(int argc, char **argv) {
  struct termios settings, now;
  prepare();
  CHECK(tcgetattr(0, &settings) == 0);
  settings.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
  settings.c_cc[VMIN] = 7;
  CHECK(tcsetattr(0, TCSANOW, &settings) == 0);
  int other = open("/dev/tty", O_RDWR | O_CLOEXEC);
  CHECK(other >= 0 && argc > 1);
  FILE *file = fopen(argv[1], "w");
  fprintf(file, "%d\n", getpid());
  fclose(file);

  wait_for_restart();

  CHECK(isatty(0) && isatty(1) && isatty(other) && fcntl(other, F_GETFD) == FD_CLOEXEC);
  CHECK(tcgetattr(0, &now) == 0 && (now.c_lflag & (ECHO | ICANON)) == 0 && now.c_cc[VMIN] == 7);
  CHECK(write(other, "through /dev/tty\n", 17) == 17);
  return finish();
}
