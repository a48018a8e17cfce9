/* The two ends of a pipe: `write` counts into standard output, `read` copies lines, and says when
 * its input ends. Whoever writes is told of a reader that is gone. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int count(void)
{
	char line[32];

	signal(SIGPIPE, SIG_IGN);
	for (long n = 0;; n++) {
		int length = sprintf(line, "%ld\n", n);

		if (write(1, line, length) != length)
			return 3;
		usleep(10000);
	}
}

static int copy(void)
{
	char buffer[4096];
	ssize_t got;

	while ((got = read(0, buffer, sizeof buffer)) > 0)
		if (write(1, buffer, got) != got)
			return 1;
	return write(1, "end\n", 4) != 4;
}

int main(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], "read") == 0 ? copy() : count();
}
