// launchers_test.c - who a process is, by what launchers put into its
// environment.
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

static const char *const all[] = {"OMPI_COMM_WORLD_RANK",
                                  "OMPI_COMM_WORLD_SIZE",
                                  "OMPI_COMM_WORLD_LOCAL_RANK",
                                  "OMPI_COMM_WORLD_LOCAL_SIZE",
                                  "RANK",
                                  "WORLD_SIZE",
                                  "LOCAL_RANK",
                                  "MASTER_ADDR",
                                  "SLURM_STEP_ID",
                                  "SLURM_PROCID",
                                  "SLURM_STEP_NUM_TASKS",
                                  "SLURM_NTASKS",
                                  "SLURM_LOCALID",
                                  "SLURM_STEP_NODELIST",
                                  "SLURM_JOB_NODELIST",
                                  "SLURM_NODELIST",
                                  "PMI_RANK",
                                  "PMI_SIZE",
                                  "MPI_LOCALRANKID",
                                  "DSPRT_PORT",
                                  "DSPRT_TIMEOUT"};

static int clear(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) unsetenv(all[i]);
  return 0;
}

/// Sets "NAME=value" texts.
static void set(const char *const *texts, size_t count) {
  clear(NULL);
  for (size_t i = 0; i < count; i++) {
    char name[64];
    const char *value = strchr(texts[i], '=');
    snprintf(name, sizeof name, "%.*s", (int)(value - texts[i]), texts[i]);
    setenv(name, value + 1, 1);
  }
}

#define SET(...)                                \
  do {                                          \
    const char *const texts[] = {__VA_ARGS__};  \
    set(texts, sizeof texts / sizeof texts[0]); \
  } while (0)

static void expect(int rank, int ranks, int local_rank, const char *host) {
  DsprtTeam team;
  DsprtTeamError error = {""};
  if (!dsprt_team_read(&team, &error)) fail_msg("%s", error.text);
  assert_int_equal(team.rank, rank);
  assert_int_equal(team.ranks, ranks);
  assert_int_equal(team.local_rank, local_rank);
  assert_string_equal(team.host, host);
}

static void expect_error(const char *part) {
  DsprtTeam team;
  DsprtTeamError error = {""};
  assert_false(dsprt_team_read(&team, &error));
  if (!strstr(error.text, part))
    fail_msg("'%s' is not in '%s'", part, error.text);
}

static void alone(void **state) {
  (void)state;
  expect(0, 1, 0, "127.0.0.1");
  SET("DSPRT_TIMEOUT=7", "DSPRT_PORT=1234");
  DsprtTeam team;
  DsprtTeamError error;
  assert_true(dsprt_team_read(&team, &error));
  assert_int_equal(team.timeout, 7);
  assert_int_equal(team.port, 1234);
}

static void mpirun(void **state) {
  (void)state;
  SET("OMPI_COMM_WORLD_RANK=3", "OMPI_COMM_WORLD_SIZE=4",
      "OMPI_COMM_WORLD_LOCAL_RANK=3", "OMPI_COMM_WORLD_LOCAL_SIZE=4");
  expect(3, 4, 3, "127.0.0.1");
  SET("OMPI_COMM_WORLD_RANK=3", "OMPI_COMM_WORLD_SIZE=4",
      "OMPI_COMM_WORLD_LOCAL_RANK=1", "OMPI_COMM_WORLD_LOCAL_SIZE=2");
  expect_error("MASTER_ADDR");
  setenv("MASTER_ADDR", "head", 1);
  expect(3, 4, 1, "head");
}

/// mpirun inside a job of Slurm: what the job has is not what mpirun started.
static void mpirun_in_slurm(void **state) {
  (void)state;
  SET("OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_SIZE=2",
      "OMPI_COMM_WORLD_LOCAL_RANK=1", "OMPI_COMM_WORLD_LOCAL_SIZE=2",
      "SLURM_PROCID=0", "SLURM_NTASKS=8", "SLURM_LOCALID=0",
      "SLURM_JOB_NODELIST=n[1-2]");
  expect(1, 2, 1, "127.0.0.1");
}

static void torchrun(void **state) {
  (void)state;
  SET("RANK=5", "WORLD_SIZE=8", "LOCAL_RANK=1", "MASTER_ADDR=10.0.0.7");
  expect(5, 8, 1, "10.0.0.7");
}

/// One torchrun a node, each started by srun.
static void torchrun_in_srun(void **state) {
  (void)state;
  SET("RANK=3", "WORLD_SIZE=4", "LOCAL_RANK=1", "MASTER_ADDR=n1",
      "SLURM_STEP_ID=0", "SLURM_PROCID=1", "SLURM_STEP_NUM_TASKS=2",
      "SLURM_LOCALID=0", "SLURM_STEP_NODELIST=n[1-2]");
  expect(3, 4, 1, "n1");
}

static void srun(void **state) {
  static const struct {
    const char *list, *host;
  } lists[] = {{"gpu1", "gpu1"},
               {"gpu1,gpu2", "gpu1"},
               {"gpu[3-4]", "gpu3"},
               {"gpu[003-005,9],cpu1", "gpu003"},
               {"gpu[7,9]", "gpu7"},
               {"rack[1-2]n[05-08]", "rack1n05"},
               {"gpu[1-2].cluster,x", "gpu1.cluster"}};
  (void)state;
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    SET("SLURM_STEP_ID=4", "SLURM_PROCID=9", "SLURM_STEP_NUM_TASKS=16",
        "SLURM_NTASKS=32", "SLURM_LOCALID=1");
    setenv("SLURM_JOB_NODELIST", "other[1-9]", 1);
    setenv("SLURM_STEP_NODELIST", lists[i].list, 1);
    expect(9, 16, 1, lists[i].host);
  }
  SET("SLURM_STEP_ID=4", "SLURM_PROCID=1", "SLURM_NTASKS=2", "SLURM_LOCALID=1",
      "SLURM_JOB_NODELIST=a,b");
  expect(1, 2, 1, "a");
  setenv("MASTER_ADDR", "b", 1);
  expect(1, 2, 1, "b");
}

/// A batch script has the variables of tasks, but srun did not start it.
static void batch_script(void **state) {
  (void)state;
  SET("SLURM_PROCID=0", "SLURM_NTASKS=8", "SLURM_LOCALID=0",
      "SLURM_JOB_NODELIST=n[1-2]");
  expect(0, 1, 0, "127.0.0.1");
}

static void pmi(void **state) {
  (void)state;
  SET("PMI_RANK=1", "PMI_SIZE=3", "MPI_LOCALRANKID=0");
  expect(1, 3, 0, "127.0.0.1");
}

static void wrong(void **state) {
  (void)state;
  SET("RANK=1");
  expect_error("no WORLD_SIZE");
  SET("WORLD_SIZE=2");
  expect_error("no RANK");
  SET("RANK=2", "WORLD_SIZE=2");
  expect_error("RANK is '2': a number from 0 to 1");
  SET("RANK=-1", "WORLD_SIZE=2");
  expect_error("RANK is '-1'");
  SET("RANK=one", "WORLD_SIZE=2");
  expect_error("RANK is 'one'");
  SET("RANK=0", "WORLD_SIZE=0");
  expect_error("WORLD_SIZE is '0'");
  SET("RANK=0", "WORLD_SIZE=99999999999");
  expect_error("WORLD_SIZE is '99999999999'");
  SET("RANK=0", "WORLD_SIZE=2", "DSPRT_PORT=http");
  expect_error("DSPRT_PORT is 'http'");
  SET("RANK=0", "WORLD_SIZE=2", "DSPRT_TIMEOUT=-5");
  expect_error("DSPRT_TIMEOUT is '-5'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(alone, clear),
      cmocka_unit_test_setup(mpirun, clear),
      cmocka_unit_test_setup(mpirun_in_slurm, clear),
      cmocka_unit_test_setup(torchrun, clear),
      cmocka_unit_test_setup(torchrun_in_srun, clear),
      cmocka_unit_test_setup(srun, clear),
      cmocka_unit_test_setup(batch_script, clear),
      cmocka_unit_test_setup(pmi, clear),
      cmocka_unit_test_setup(wrong, clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
