/* Pairs of sockets with what was sent and not read. Argument: `rights` sends a descriptor, too. */
#define _GNU_SOURCE
#include "resumed.h"
#include <sys/socket.h>

static char big[150000];

static void send_descriptor(int fd) {
  char room[CMSG_SPACE(sizeof(int))] = {0}, byte = 'r';
  struct iovec bytes = {&byte, 1};
  struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  *(int *)CMSG_DATA(header) = 1;
  CHECK(sendmsg(fd, &message, 0) == 1);
}

static int reads(int fd, const char *expected) {
  char bytes[100] = {0};
  ssize_t length = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  return length == (ssize_t)strlen(expected) && memcmp(bytes, expected, length) == 0;
}

static int ended(int fd) {
  char byte;
  return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static int waits(int fd) {
  char byte;
  return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

int main(int argc, char **argv) {
  int stream[2], datagrams[2], packets[2], half[2], shut[2], alone[2], full[2];
  prepare();
  signal(SIGPIPE, SIG_IGN);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, stream) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, datagrams) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, half) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, shut) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, alone) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, full) == 0);
  CHECK(write(stream[0], "one", 3) == 3 && write(stream[0], "two", 3) == 3);
  CHECK(write(stream[1], "back", 4) == 4);
  if (argc > 1) send_descriptor(stream[0]);
  CHECK(write(datagrams[0], "a", 1) == 1 && write(datagrams[0], "bc", 2) == 2);
  CHECK(write(datagrams[0], "def", 3) == 3 && write(datagrams[1], "up", 2) == 2);
  CHECK(write(packets[1], "first", 5) == 5 && write(packets[1], "second", 6) == 6);
  CHECK(write(half[0], "last", 4) == 4 && shutdown(half[0], SHUT_WR) == 0);
  CHECK(write(shut[0], "bye", 3) == 3 && shutdown(shut[0], SHUT_RDWR) == 0);
  CHECK(write(alone[0], "left", 4) == 4 && close(alone[0]) == 0);
  for (size_t i = 0; i < sizeof big; i++) big[i] = (char)(i * 7 + i / 251);
  CHECK(write(full[0], big, sizeof big) == sizeof big);

  wait_for_restart();

  CHECK(reads(stream[1], "onetwo") && waits(stream[1]));
  CHECK(reads(stream[0], "back") && waits(stream[0]));
  CHECK(reads(datagrams[1], "a") && reads(datagrams[1], "bc") && reads(datagrams[1], "def"));
  CHECK(waits(datagrams[1]) && reads(datagrams[0], "up") && waits(datagrams[0]));
  CHECK(reads(packets[0], "first") && reads(packets[0], "second") && waits(packets[0]));
  CHECK(reads(half[1], "last") && ended(half[1]) && waits(half[0]));
  CHECK(write(half[1], "still", 5) == 5 && reads(half[0], "still") && write(half[0], "x", 1) < 0);
  CHECK(reads(shut[1], "bye") && ended(shut[1]) && ended(shut[0]) && write(shut[1], "x", 1) < 0);
  CHECK(reads(alone[1], "left") && ended(alone[1]) && write(alone[1], "x", 1) < 0);
  static char got[sizeof big];
  CHECK(recv(full[1], got, sizeof got, MSG_WAITALL) == sizeof got && memcmp(got, big, sizeof got) == 0);
  CHECK(flags_of(stream[0]) == O_RDWR && flags_of(datagrams[0]) == (O_RDWR | O_NONBLOCK));
  CHECK(write(stream[1], "more", 4) == 4 && reads(stream[0], "more"));
  int offset = 0;
  socklen_t size = sizeof offset;
  CHECK(getsockopt(packets[0], SOL_SOCKET, SO_PEEK_OFF, &offset, &size) == 0 && offset == -1);
  return finish();
}
