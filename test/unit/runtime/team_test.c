// team_test.c - the messages between the processes of a run on GPUs, and what
// is said when one of them ends, or stops.
#include "cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "team.h"

enum { RANKS = 3 };

/// What a rank does once it is connected; returns its exit status.
typedef int Work(DsprtTeam *team);

static void set_number(const char *name, int number) {
  char text[16];
  snprintf(text, sizeof text, "%d", number);
  setenv(name, text, 1);
}

static int be_rank(int rank, Work *work) {
  DsprtTeam team;
  DsprtTeamError error;
  set_number("RANK", rank);
  set_number("WORLD_SIZE", RANKS);
  if (!dsprt_team_read(&team, &error) || !dsprt_team_connect(&team, &error)) {
    fprintf(stderr, "rank %d: %s\n", rank, error.text);
    return 99;
  }
  int status = work(&team);
  dsprt_team_close(&team, status != 0);
  return status;
}

static pid_t start(int rank, Work *work) {
  pid_t pid = fork();
  if (pid == 0) _exit(be_rank(rank, work));
  assert_true(pid > 0);
  return pid;
}

static void start_all(pid_t *pids, Work *work) {
  set_number("MASTER_PORT", (int)getpid());
  for (int r = 0; r < RANKS; r++) pids[r] = start(r, work);
}

static int status_of(pid_t pid) {
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// Waits for the others; 0 when all came.
static int gather(DsprtTeam *team, DsprtTeamError *error) {
  int all[RANKS], mine = 10 + team->rank;
  if (!dsprt_team_gather(team, &mine, sizeof mine, all, error)) return 1;
  for (int r = 0; r < RANKS; r++)
    if (all[r] != 10 + r) return 2;
  return 0;
}

static int gather_often(DsprtTeam *team) {
  DsprtTeamError error;
  for (int i = 0; i < 100; i++)
    if (gather(team, &error)) return 1;
  return 0;
}

static void gathers(void **state) {
  pid_t pids[RANKS];
  (void)state;
  start_all(pids, gather_often);
  for (int r = 0; r < RANKS; r++) assert_int_equal(status_of(pids[r]), 0);
}

/// Rank 1 ends; the others say so.
static int end_1(DsprtTeam *team) {
  DsprtTeamError error = {""};
  if (gather(team, &error)) return 1;
  if (team->rank == 1) _exit(0);
  for (int i = 0; i < 100; i++) {
    if (dsprt_team_is_lost(team, &error))
      return strcmp(error.text, "rank 1 has ended") != 0;
    usleep(50000);
  }
  return 2;
}

static void ended(void **state) {
  pid_t pids[RANKS];
  (void)state;
  start_all(pids, end_1);
  for (int r = 0; r < RANKS; r++) assert_int_equal(status_of(pids[r]), 0);
}

/// Rank 1 stops and rank 0 asks; rank 2 answers, as its watchdog would.
static int stop_1(DsprtTeam *team) {
  DsprtTeamError error = {""};
  if (gather(team, &error)) return 1;
  if (team->rank == 1) raise(SIGSTOP);
  if (team->rank == 0) {
    usleep(200000); // until it has
    return dsprt_team_find_stuck(team) != 1;
  }
  for (int i = 0; i < 100; i++) {
    if (dsprt_team_listen(team, &error))
      return strcmp(error.text, "rank 1 is stuck") != 0;
    usleep(50000);
  }
  return 2;
}

static void stopped(void **state) {
  pid_t pids[RANKS];
  (void)state;
  start_all(pids, stop_1);
  assert_int_equal(status_of(pids[0]), 0);
  assert_int_equal(status_of(pids[2]), 0);
  kill(pids[1], SIGKILL);
  assert_int_equal(status_of(pids[1]), -SIGKILL);
}

/// Nobody is stuck: all answer, those that wait for a message too.
static int ask_all(DsprtTeam *team) {
  DsprtTeamError error = {""};
  if (gather(team, &error)) return 1;
  if (team->rank == 0) return dsprt_team_find_stuck(team) != -1;
  if (team->rank == 1)
    while (!dsprt_team_listen(team, &error)) usleep(50000);
  else if (gather(team, &error) == 0)
    return 2; // without rank 0
  return strcmp(error.text, "rank 0 has ended") != 0;
}

static void nobody(void **state) {
  pid_t pids[RANKS];
  (void)state;
  start_all(pids, ask_all);
  for (int r = 0; r < RANKS; r++) assert_int_equal(status_of(pids[r]), 0);
}

/// Rank 1 stops before a gather: rank 0 gives up after DSPRT_TIMEOUT.
static int stop_before_gather(DsprtTeam *team) {
  DsprtTeamError error = {""};
  if (team->rank == 1) raise(SIGSTOP);
  if (gather(team, &error) != 1) return 1;
  const char *what = "rank 1 is stuck";
  return strncmp(error.text, what, strlen(what)) != 0;
}

static void stopped_in_gather(void **state) {
  pid_t pids[RANKS];
  (void)state;
  setenv("DSPRT_TIMEOUT", "1", 1);
  start_all(pids, stop_before_gather);
  unsetenv("DSPRT_TIMEOUT");
  assert_int_equal(status_of(pids[0]), 0);
  assert_int_equal(status_of(pids[2]), 0);
  kill(pids[1], SIGKILL);
  assert_int_equal(status_of(pids[1]), -SIGKILL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gathers), cmocka_unit_test(ended),
      cmocka_unit_test(stopped), cmocka_unit_test(nobody),
      cmocka_unit_test(stopped_in_gather)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
