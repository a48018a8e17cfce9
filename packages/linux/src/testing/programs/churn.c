/* Threads that come and go all the time: makes some, joins them, checks what they hand back. */
#include "resumed.h"
#include <pthread.h>

enum { MAKERS = 2, AT_ONCE = 4 };

static void *leaf(void *number) { return number; }

static void *maker(void *unused) {
  (void)unused;
  while (!signalled) {
    pthread_t threads[AT_ONCE];
    for (long i = 0; i < AT_ONCE; i++) {
      CHECK(pthread_create(&threads[i], NULL, leaf, (void *)i) == 0);
    }
    for (long i = 0; i < AT_ONCE; i++) {
      void *back = NULL;
      CHECK(pthread_join(threads[i], &back) == 0 && back == (void *)i);
    }
    usleep(100);
  }
  return NULL;
}

int main(void) {
  prepare();
  pthread_t makers[MAKERS];
  for (int i = 0; i < MAKERS; i++) CHECK(pthread_create(&makers[i], NULL, maker, NULL) == 0);
  printf("ready\n");
  for (int i = 0; i < MAKERS; i++) CHECK(pthread_join(makers[i], NULL) == 0);
  return finish();
}
