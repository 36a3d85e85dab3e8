// watchdog.h - a thread that ends a rank when nothing goes on.
#ifndef DSPRT_CUDA_WATCHDOG_H
#define DSPRT_CUDA_WATCHDOG_H

#include <pthread.h>
#include <stdbool.h>

struct DsprtRun;
struct DsprtState;

typedef struct DsprtWatchdog {
  pthread_t thread;
  pthread_mutex_t lock;
  bool running, stop;
  const struct DsprtRun *run;
  const char *what; ///< is going on; NULL: nothing that is watched
} DsprtWatchdog;

void dsprt_watchdog_start(const struct DsprtRun *run);
void dsprt_watchdog_stop(struct DsprtState *state);

/// From here on to the end all ranks work on `what`: when a rank ends, or no
/// stage begins for DSPRT_TIMEOUT seconds, this rank fails, even while the
/// host waits in a library.
void dsprt_watch_begin(const struct DsprtRun *run, const char *what);
void dsprt_watch_end(const struct DsprtRun *run);

#endif
