/* Idle rings of io_uring(7), as libuv and liburing make them. "rings polled": threads of the kernel poll
 * two of them. "rings busy": one has a request in flight. */
#define _GNU_SOURCE
#include "resumed.h"
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { no_sqarray = 1 << 16, poll_add = 6, polled = IORING_SETUP_SQPOLL, fixed = IORING_SETUP_SQ_AFF };

/* Counters are kept here, too, as liburing does. */
struct ring {
  int fd;
  unsigned entries, completions, flags, tail, head;
  char *memory, *sqes;
  size_t size;
  unsigned *array;
};

static unsigned *word(struct ring *ring, unsigned offset) { return (unsigned *)(ring->memory + offset); }

static struct ring make(unsigned entries, unsigned completions, unsigned flags) {
  struct io_uring_params params = {.flags = flags | IORING_SETUP_CQSIZE, .cq_entries = completions};
  params.sq_thread_idle = 10;
  struct ring ring = {.entries = entries, .completions = completions, .flags = flags};
  ring.fd = (int)syscall(__NR_io_uring_setup, entries, &params);
  CHECK(ring.fd >= 0);
  ring.size = 64 + completions * 16 + (flags & no_sqarray ? 0 : entries * 4);
  int how = MAP_SHARED | MAP_POPULATE;
  ring.memory = mmap(NULL, ring.size, PROT_READ | PROT_WRITE, how, ring.fd, IORING_OFF_SQ_RING);
  ring.sqes = mmap(NULL, entries * 64, PROT_READ | PROT_WRITE, how, ring.fd, IORING_OFF_SQES);
  CHECK(ring.memory != MAP_FAILED && ring.sqes != MAP_FAILED);
  if (!(flags & no_sqarray)) ring.array = word(&ring, params.sq_off.array);
  return ring;
}

/* Queues a request that does nothing; shuffled rings name the entries in another order. */
static void queue(struct ring *ring, uint64_t data, int shuffled) {
  unsigned place = ring->tail & (ring->entries - 1);
  unsigned index = shuffled ? ring->entries - 1 - place : place;
  struct io_uring_sqe *sqe = (struct io_uring_sqe *)(ring->sqes + index * 64);
  memset(sqe, 0, sizeof *sqe);
  sqe->user_data = data;
  if (ring->array) ring->array[place] = index;
  *word(ring, 4) = ++ring->tail;
}

static void submit(struct ring *ring, unsigned count) {
  if (ring->flags & polled) {
    unsigned how = IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP;
    CHECK(syscall(__NR_io_uring_enter, ring->fd, count, count, how, NULL, 0) == count);
    return;
  }
  CHECK(syscall(__NR_io_uring_enter, ring->fd, count, count, IORING_ENTER_GETEVENTS, NULL, 0) == count);
}

static uint64_t reap(struct ring *ring) {
  CHECK(*word(ring, 12) - ring->head > 0);
  unsigned place = ring->head & (ring->completions - 1);
  struct io_uring_cqe *cqe = (struct io_uring_cqe *)(ring->memory + 64 + place * 16);
  *word(ring, 8) = ++ring->head;
  return cqe->user_data;
}

static void use(struct ring *ring, unsigned rounds, int shuffled) {
  for (unsigned i = 0; i < rounds; i++) {
    queue(ring, 2 * i, shuffled);
    queue(ring, 2 * i + 1, shuffled);
    submit(ring, 2);
    CHECK(reap(ring) == 2 * i && reap(ring) == 2 * i + 1);
  }
  CHECK(*word(ring, 0) == ring->tail && *word(ring, 12) == ring->head);
}

int main(int argc, char **argv) {
  prepare();
  struct ring uv = make(256, 512, no_sqarray), plain = make(8, 16, 0), shuffled = make(64, 256, 0);
  struct ring new = make(4, 8, no_sqarray), tiny = make(1, 1, no_sqarray);
  CHECK(fcntl(plain.fd, F_SETFD, 0) == 0);
  use(&uv, 5003, 0);
  use(&plain, 70001, 0);
  use(&shuffled, 37, 1);
  struct ring idle, pinned;
  int has_polled = argc > 1 && strcmp(argv[1], "polled") == 0;
  if (has_polled) {
    idle = make(8, 16, polled), pinned = make(8, 32, polled | fixed | no_sqarray);
    use(&idle, 117, 0);
  }
  /* One completion that was not reaped, two requests that were queued and not submitted. */
  queue(&plain, 77, 0);
  submit(&plain, 1);
  queue(&plain, 78, 0);
  queue(&plain, 79, 0);
  int ends[2];
  CHECK(pipe(ends) == 0);
  if (argc > 1 && strcmp(argv[1], "busy") == 0) {
    queue(&uv, 80, 0);
    struct io_uring_sqe *sqe = (struct io_uring_sqe *)(uv.sqes + ((uv.tail - 1) & 255) * 64);
    sqe->opcode = poll_add;
    sqe->fd = ends[0];
    sqe->poll32_events = POLLIN;
    CHECK(syscall(__NR_io_uring_enter, uv.fd, 1, 0, 0, NULL, 0) == 1);
  }

  wait_for_restart();

  CHECK(fcntl(uv.fd, F_GETFD) == FD_CLOEXEC && fcntl(plain.fd, F_GETFD) == 0);
  CHECK(reap(&plain) == 77);
  submit(&plain, 2);
  CHECK(reap(&plain) == 78 && reap(&plain) == 79);
  use(&uv, 700, 0);
  use(&plain, 300, 0);
  use(&shuffled, 300, 1);
  use(&new, 300, 0);
  if (has_polled) {
    use(&idle, 300, 1);
    use(&pinned, 300, 0);
  }
  queue(&tiny, 9, 0);
  submit(&tiny, 1);
  CHECK(reap(&tiny) == 9);
  return finish();
}
