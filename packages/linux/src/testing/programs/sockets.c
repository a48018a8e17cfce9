/* Sockets that talk to nobody yet. Argument: a directory for UNIX sockets. */
#define _GNU_SOURCE
#include "resumed.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

static int number(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  CHECK(getsockopt(fd, level, name, &value, &size) == 0);
  return value;
}

static void set(int fd, int level, int name, int value) {
  CHECK(setsockopt(fd, level, name, &value, sizeof value) == 0);
}

static struct sockaddr_storage local(int fd, socklen_t *size) {
  struct sockaddr_storage address = {0};
  *size = sizeof address;
  CHECK(getsockname(fd, (struct sockaddr *)&address, size) == 0);
  return address;
}

/* A client gets through to a listening socket. */
static void talk(int server) {
  socklen_t size;
  struct sockaddr_storage address = local(server, &size);
  int client = socket(address.ss_family, SOCK_STREAM, 0), accepted;
  CHECK(connect(client, (struct sockaddr *)&address, size) == 0);
  char byte = 0;
  CHECK((accepted = accept(server, NULL, NULL)) >= 0 && write(client, "x", 1) == 1);
  CHECK(read(accepted, &byte, 1) == 1 && byte == 'x');
  close(accepted);
  close(client);
}

static int bound(int type, const char *path) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  socklen_t size = sizeof name;
  if (path[0] == '@') {
    size = (socklen_t)(2 + strlen(path));
    memcpy(name.sun_path + 1, path + 1, strlen(path) - 1);
  } else {
    unlink(path);
    snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
  }
  int fd = socket(AF_UNIX, type, 0);
  CHECK(bind(fd, (struct sockaddr *)&name, size) == 0);
  return fd;
}

/* Options that are seldom set: level, number of the option, value. */
static const int seldom[][3] = {
    {SOL_SOCKET, 45, 1}, {SOL_SOCKET, 75, 1}, {IPPROTO_IPV6, 19, 0}, {IPPROTO_IPV6, 23, 2},
    {IPPROTO_IPV6, 29, 0}, {IPPROTO_IPV6, 53, 1}, {IPPROTO_IPV6, 62, 1}, {IPPROTO_IPV6, 70, 0},
    {IPPROTO_IPV6, 73, 9}, {IPPROTO_IPV6, 74, 1}, {IPPROTO_IPV6, 17, 1}, {IPPROTO_IP, 20, 1},
    {IPPROTO_IP, 21, 7}, {IPPROTO_IP, 6, 1}, {IPPROTO_IP, 23, 1},
};

static int with_seldom(void) {
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  uint64_t rate = 123456;
  for (size_t i = 0; i < sizeof seldom / sizeof *seldom; i++)
    CHECK(setsockopt(fd, seldom[i][0], seldom[i][1], &seldom[i][2], sizeof(int)) == 0);
  CHECK(setsockopt(fd, SOL_SOCKET, 47, &rate, sizeof rate) == 0);
  return fd;
}

static void check_seldom(int fd) {
  uint64_t rate = 0;
  socklen_t length = sizeof rate;
  CHECK(getsockopt(fd, SOL_SOCKET, 47, &rate, &length) == 0 && rate == 123456);
  for (size_t i = 0; i < sizeof seldom / sizeof *seldom; i++) {
    int value = -2;
    length = sizeof value;
    CHECK(getsockopt(fd, seldom[i][0], seldom[i][1], &value, &length) == 0);
    if (value != seldom[i][2]) printf("option %d of %d is %d\n", seldom[i][1], seldom[i][0], value);
    CHECK(value == seldom[i][2]);
  }
}

int main(int argc, char **argv) {
  prepare();
  struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
  int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  set(server, SOL_SOCKET, SO_REUSEADDR, 1);
  set(server, SOL_SOCKET, SO_RCVBUF, 50000);
  set(server, IPPROTO_TCP, TCP_NODELAY, 1);
  set(server, IPPROTO_TCP, TCP_KEEPIDLE, 33);
  set(server, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0);
  struct linger linger = {1, 7};
  CHECK(setsockopt(server, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
  CHECK(bind(server, (struct sockaddr *)&any4, sizeof any4) == 0 && listen(server, 37) == 0);
  int server6 = socket(AF_INET6, SOCK_STREAM, 0);
  set(server6, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  int has6 = bind(server6, (struct sockaddr *)&any6, sizeof any6) == 0 && listen(server6, 5) == 0;
  int fresh = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
  set(fresh, SOL_SOCKET, SO_KEEPALIVE, 1);
  struct timeval patience = {3, 500000};
  CHECK(setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
  CHECK(bind(udp, (struct sockaddr *)&any4, sizeof any4) == 0);
  int asker = socket(AF_INET, SOCK_DGRAM, 0);
  socklen_t size, after;
  struct sockaddr_storage address = local(udp, &size), before = local(server, &after);
  CHECK(connect(asker, (struct sockaddr *)&address, size) == 0);
  char path[256], reader[256];
  snprintf(path, sizeof path, "%s/stream", argc > 1 ? argv[1] : ".");
  snprintf(reader, sizeof reader, "%s/datagram", argc > 1 ? argv[1] : ".");
  int local_server = bound(SOCK_STREAM, path), datagrams = bound(SOCK_DGRAM, reader);
  CHECK(chmod(path, 0640) == 0 && listen(local_server, 9) == 0);
  snprintf(path, sizeof path, "@ckpt-test-%d", getpid());
  int abstract = bound(SOCK_SEQPACKET, path);
  CHECK(listen(abstract, 3) == 0);

  int pair[2], packets[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, packets) == 0);
  set(pair[1], SOL_SOCKET, SO_PASSCRED, 1);
  CHECK(fcntl(pair[1], F_SETFL, 0) == 0 && dup2(pair[0], 90) == 90);

  int odd = with_seldom();

  wait_for_restart();

  check_seldom(odd);

  address = local(server, &size);
  CHECK(size == after && memcmp(&address, &before, size) == 0);
  CHECK(flags_of(server) == (O_RDWR | O_NONBLOCK) && fcntl(server, F_GETFD) == FD_CLOEXEC);
  CHECK(number(server, SOL_SOCKET, SO_REUSEADDR) == 1 && number(server6, SOL_SOCKET, SO_REUSEADDR) == 0);
  CHECK(number(server, SOL_SOCKET, SO_RCVBUF) == 100000 && number(server, IPPROTO_TCP, TCP_KEEPIDLE) == 33);
  CHECK(number(server, IPPROTO_TCP, TCP_NODELAY) == 1);
  size = sizeof linger;
  CHECK(getsockopt(server, SOL_SOCKET, SO_LINGER, &linger, &size) == 0 && linger.l_linger == 7);
  struct tcp_info info;
  size = sizeof info;
  CHECK(getsockopt(server, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_sacked == 37);
  talk(server);
  if (has6) talk(server6);
  CHECK(number(server6, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
  CHECK(number(fresh, SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(connect(fresh, (struct sockaddr *)&before, after) == 0);
  size = sizeof patience;
  CHECK(getsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &patience, &size) == 0 && patience.tv_usec == 500000);
  char byte;
  CHECK(write(asker, "u", 1) == 1 && read(udp, &byte, 1) == 1 && byte == 'u');
  struct stat file;
  snprintf(path, sizeof path, "%s/stream", argc > 1 ? argv[1] : ".");
  CHECK(stat(path, &file) == 0 && (file.st_mode & 0777) == 0640);
  talk(local_server);
  int sender = socket(AF_UNIX, SOCK_DGRAM, 0);
  before = local(datagrams, &after);
  CHECK(sendto(sender, "d", 1, 0, (struct sockaddr *)&before, after) == 1);
  CHECK(read(datagrams, &byte, 1) == 1 && byte == 'd');
  before = local(abstract, &after);
  CHECK(write(90, "p", 1) == 1 && read(pair[1], &byte, 1) == 1 && byte == 'p');
  CHECK(flags_of(pair[0]) == (O_RDWR | O_NONBLOCK) && flags_of(pair[1]) == O_RDWR);
  CHECK(number(pair[1], SOL_SOCKET, SO_PASSCRED) == 1 && fcntl(packets[1], F_GETFD) == FD_CLOEXEC);
  CHECK(write(packets[1], "qr", 2) == 2 && read(packets[0], &byte, 1) == 1 && byte == 'q');
  int client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  CHECK(connect(client, (struct sockaddr *)&before, after) == 0);
  return finish();
}
