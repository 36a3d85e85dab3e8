// watchdog.c - a thread that ends a rank when nothing goes on.
//
// Needs:  connections to the other ranks.
// Leaves: one message that names the rank that is stuck, as far as rank 0 can
//         find out by asking; the other ranks give it the time to.
#include "watchdog.h"

#include <time.h>

#include "state.h"

enum { TURN_MS = 200, GRACE = 5 }; // seconds that rank 0 is ahead of the others

static void pause_turn(void) {
  struct timespec turn = {.tv_nsec = TURN_MS * 1000000};
  nanosleep(&turn, NULL);
}

/// What is watched, or NULL; `*stop` when the thread is to end.
static const char *look(DsprtWatchdog *dog, bool *stop) {
  pthread_mutex_lock(&dog->lock);
  const char *what = dog->what;
  *stop = dog->stop;
  pthread_mutex_unlock(&dog->lock);
  return what;
}

static void fail_stuck(DsprtRun *run, const char *what, int seconds) {
  DsprtTeam *team = &run->state->team;
  int stuck = dsprt_team_find_stuck(team);
  dsprt_set_reached(run);
  if (run->rank > 0)
    dsprt_fail(run,
               "%s: nothing goes on for %d seconds, and rank 0 does not "
               "say why: it is stuck (DSPRT_TIMEOUT sets the seconds)",
               what, seconds);
  if (stuck < 0)
    dsprt_fail(run,
               "%s: nothing goes on for %d seconds, though all ranks "
               "answer (DSPRT_TIMEOUT sets the seconds)",
               what, seconds);
  dsprt_fail(run,
             "%s: nothing goes on for %d seconds: rank %d is stuck, it "
             "does not answer (DSPRT_TIMEOUT sets the seconds)",
             what, seconds, stuck);
}

static void *watch(void *of) {
  DsprtState *state = of;
  DsprtRun run = *state->watchdog.run; // for messages
  int patience = state->team.timeout + (run.rank > 0 ? GRACE : 0);
  int turns = 0, before = -1;
  bool stop = false;
  while (!stop) {
    const char *what = look(&state->watchdog, &stop);
    int now = state->reached ? ((volatile int32_t *)state->reached)[1] : 0;
    DsprtTeamError lost;
    if (what && dsprt_team_listen(&state->team, &lost)) {
      dsprt_set_reached(&run);
      dsprt_fail(&run, "%s: %s", what, lost.text);
    }
    turns = what && now == before ? turns + 1 : 0;
    before = now;
    if (state->team.timeout && turns > patience * (1000 / TURN_MS))
      fail_stuck(&run, what, patience);
    pause_turn();
  }
  return NULL;
}

void dsprt_watchdog_start(const DsprtRun *run) {
  DsprtWatchdog *dog = &run->state->watchdog;
  dog->run = run;
  pthread_mutex_init(&dog->lock, NULL);
  if (pthread_create(&dog->thread, NULL, watch, run->state) != 0)
    dsprt_fail(run, "no thread for the watchdog");
  dog->running = true;
}

void dsprt_watchdog_stop(DsprtState *state) {
  DsprtWatchdog *dog = &state->watchdog;
  if (!dog->running) return;
  pthread_mutex_lock(&dog->lock);
  dog->stop = true;
  dog->what = NULL;
  pthread_mutex_unlock(&dog->lock);
  pthread_join(dog->thread, NULL);
  pthread_mutex_destroy(&dog->lock);
  dog->running = false;
}

void dsprt_watch_begin(const DsprtRun *run, const char *what) {
  DsprtWatchdog *dog = &run->state->watchdog;
  if (!dog->running) return;
  pthread_mutex_lock(&dog->lock);
  dog->what = what;
  pthread_mutex_unlock(&dog->lock);
}

void dsprt_watch_end(const DsprtRun *run) {
  dsprt_watch_begin(run, NULL);
}
