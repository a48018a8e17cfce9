/* Epolls that watch files of all kinds, one of them another epoll; counters, timers, signals. */
#define _GNU_SOURCE
#include "resumed.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

static void watch(int epoll, int fd, unsigned events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

/* The only event there is. */
static uint64_t next(int epoll) {
  struct epoll_event events[8] = {{0}};
  int n = epoll_wait(epoll, events, 8, 0);
  return n == 1 ? events[0].data.u64 : 1000 + (uint64_t)n;
}

int main(void) {
  prepare();
  int inner = epoll_create1(EPOLL_CLOEXEC), outer = epoll_create1(0), renamed = epoll_create1(0);
  int counter = eventfd(0, EFD_NONBLOCK), count = eventfd(5, EFD_SEMAPHORE | EFD_CLOEXEC);
  int large = eventfd(0, 0), ends[2], moved[2];
  uint64_t value = 0xfffffffffffffffe;
  CHECK(write(large, &value, 8) == 8);
  CHECK(pipe(ends) == 0 && pipe(moved) == 0);
  watch(inner, counter, EPOLLIN | EPOLLET, 0x1122334455667788);
  watch(inner, ends[0], EPOLLIN | EPOLLRDHUP, 2);
  watch(inner, ends[1], EPOLLOUT | EPOLLONESHOT, 3);
  CHECK(next(inner) == 3);
  /* Off after EPOLLONESHOT: not even a hang-up is told. */
  int shot = epoll_create1(0), broken[2];
  CHECK(pipe(broken) == 0);
  watch(shot, broken[1], EPOLLOUT | EPOLLONESHOT, 8);
  CHECK(next(shot) == 8 && next(shot) == 1000);
  watch(outer, inner, EPOLLIN, 4);
  /* Watched under a number that leads elsewhere now, and one that leads nowhere. */
  int old = moved[0];
  watch(renamed, old, EPOLLIN, 5);
  int away = dup2(old, 60);
  int instead = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(dup3(instead, old, O_CLOEXEC) == old);
  int gone = dup2(counter, 70);
  watch(renamed, gone, EPOLLIN, 6);
  CHECK(close(gone) == 0);

  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  int ticking = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK), off = timerfd_create(CLOCK_MONOTONIC, 0);
  int daily = timerfd_create(CLOCK_REALTIME, 0);
  struct itimerspec once = {.it_value = {100, 0}}, often = {{0, 1000000}, {0, 1}}, now, day = {{0}};
  CHECK(timerfd_settime(timer, 0, &once, NULL) == 0);
  CHECK(timerfd_settime(ticking, 0, &often, NULL) == 0);
  struct timespec start;
  CHECK(clock_gettime(CLOCK_REALTIME, &start) == 0);
  day.it_value.tv_sec = start.tv_sec + 500;
  CHECK(timerfd_settime(daily, TFD_TIMER_ABSTIME, &day, NULL) == 0);
  while (read(ticking, &value, 8) < 0) continue;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGRTMIN + 3);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  int receiver = signalfd(-1, &set, SFD_NONBLOCK);
  CHECK(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 42}) == 0);

  wait_for_restart();

  CHECK(timerfd_gettime(timer, &now) == 0 && now.it_value.tv_sec >= 80 && now.it_value.tv_sec < 100);
  CHECK(flags_of(timer) == (O_RDWR | O_NONBLOCK) && fcntl(timer, F_GETFD) == FD_CLOEXEC);
  CHECK(timerfd_gettime(off, &now) == 0 && now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
  CHECK(timerfd_gettime(ticking, &now) == 0 && now.it_interval.tv_nsec == 1000000);
  CHECK(poll(&(struct pollfd){.fd = ticking, .events = POLLIN}, 1, 1000) == 1);
  CHECK(read(ticking, &value, 8) == 8 && value > 0);
  CHECK(timerfd_gettime(daily, &now) == 0 && now.it_value.tv_sec > 400);
  struct timespec later;
  CHECK(clock_gettime(CLOCK_REALTIME, &later) == 0);
  long left = (start.tv_sec + 500 - later.tv_sec) - now.it_value.tv_sec;
  CHECK(left >= -1 && left <= 2);
  struct signalfd_siginfo info;
  CHECK(read(receiver, &info, sizeof info) == sizeof info);
  CHECK(info.ssi_signo == (unsigned)SIGRTMIN + 3 && info.ssi_int == 42);
  CHECK(read(receiver, &info, sizeof info) < 0 && errno == EAGAIN);

  CHECK(next(shot) == 1000 && close(broken[0]) == 0 && next(shot) == 1000);
  struct epoll_event again = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 9};
  CHECK(epoll_ctl(shot, EPOLL_CTL_MOD, broken[1], &again) == 0 && next(shot) == 9);
  CHECK(fcntl(inner, F_GETFD) == FD_CLOEXEC && flags_of(counter) == (O_RDWR | O_NONBLOCK));
  CHECK(next(inner) == 1000 && next(outer) == 1000 && next(renamed) == 1000);
  value = 0;
  CHECK(read(counter, &value, 8) < 0 && errno == EAGAIN);
  value = 3;
  CHECK(write(counter, &value, 8) == 8);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 6};
  CHECK(next(renamed) == 6);
  CHECK(next(outer) == 4 && next(inner) == 0x1122334455667788 && next(inner) == 1000);
  CHECK(read(counter, &value, 8) == 8 && value == 3);
  CHECK(write(ends[1], "x", 1) == 1 && next(inner) == 2);
  CHECK(epoll_ctl(inner, EPOLL_CTL_DEL, ends[0], NULL) == 0);
  CHECK(write(moved[1], "x", 1) == 1 && next(renamed) == 5);
  CHECK(epoll_ctl(renamed, EPOLL_CTL_ADD, away, &event) == 0);
  CHECK(fcntl(old, F_GETFD) == FD_CLOEXEC && read(old, &value, 8) == 0);
  CHECK(fcntl(70, F_GETFD) < 0 && errno == EBADF);
  CHECK(read(count, &value, 8) == 8 && value == 1 && read(count, &value, 8) == 8);
  CHECK(fcntl(count, F_GETFD) == FD_CLOEXEC);
  CHECK(read(large, &value, 8) == 8 && value == 0xfffffffffffffffe);
  return finish();
}
