// team_env.c - who this process is, by the environment of its launcher.
//
// Needs:  mpirun (Open MPI), torchrun, srun or a launcher of the PMI kind; or
//         nothing.
// Leaves: rank, ranks, the place on this machine, and the machine of rank 0.
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

enum { TIMEOUT = 600 }; ///< seconds

/// The variables of a launcher; `mark` is there when it was used.
typedef struct Launcher {
  const char *mark, *rank, *ranks, *local_rank;
} Launcher;

static const Launcher launchers[] = {
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
     "OMPI_COMM_WORLD_LOCAL_RANK"},
    {"RANK", "RANK", "WORLD_SIZE", "LOCAL_RANK"},
    {"WORLD_SIZE", "RANK", "WORLD_SIZE", "LOCAL_RANK"},
    // a batch script has SLURM_PROCID too, but is no step
    {"SLURM_STEP_ID", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"},
    {"PMI_RANK", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"},
};

static bool fail(DsprtTeamError *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(DsprtTeamError *error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(error->text, sizeof error->text, format, args);
  va_end(args);
  return false;
}

/// The value of a variable; NULL when it is not set, or empty.
static const char *value_of(const char *name) {
  const char *text = getenv(name);
  return text && *text ? text : NULL;
}

static bool read_number(const char *name, int least, int most, int *number,
                        DsprtTeamError *error) {
  const char *text = value_of(name);
  char *end;
  if (!text) return fail(error, "the environment has no %s", name);
  errno = 0;
  long n = strtol(text, &end, 10);
  if (*end || end == text || errno || n < least || n > most)
    return fail(error, "%s is '%s': a number from %d to %d is needed", name,
                text, least, most);
  *number = (int)n;
  return true;
}

/// The same when the variable is set; else `otherwise`.
static bool read_optional(const char *name, int least, int most, int otherwise,
                          int *number, DsprtTeamError *error) {
  *number = otherwise;
  return !value_of(name) || read_number(name, least, most, number, error);
}

static const Launcher *find_launcher(void) {
  for (size_t i = 0; i < sizeof launchers / sizeof launchers[0]; i++)
    if (value_of(launchers[i].mark)) return &launchers[i];
  return NULL;
}

static bool read_ranks(const Launcher *l, DsprtTeam *team,
                       DsprtTeamError *error) {
  const char *ranks = l->ranks;
  if (!value_of(ranks) && strncmp(ranks, "SLURM", 5) == 0)
    ranks = "SLURM_NTASKS"; // of older versions
  return read_number(ranks, 1, INT_MAX, &team->ranks, error) &&
         read_number(l->rank, 0, team->ranks - 1, &team->rank, error) &&
         read_optional(l->local_rank, 0, INT_MAX, team->rank, &team->local_rank,
                       error);
}

/// The first of a list of Slurm: "node[003-005,9],other" is node003.
static void first_host(const char *list, char *host, size_t room) {
  size_t n = 0;
  bool skips = false; // the rest of a pair of brackets
  for (; *list && n + 1 < room; list++) {
    if (*list == ',' && !skips) break;
    if (*list == '[' || *list == ']') {
      skips = false;
      if (*list == '[') {
        size_t digits = strspn(list + 1, "0123456789");
        for (size_t i = 0; i < digits && n + 1 < room; i++)
          host[n++] = list[1 + i];
        list += digits;
        skips = true;
      }
    } else if (!skips) {
      host[n++] = *list;
    }
  }
  host[n] = '\0';
}

/// Are there ranks of mpirun on other machines?
static bool is_spread(const DsprtTeam *team) {
  const char *local = value_of("OMPI_COMM_WORLD_LOCAL_SIZE");
  return value_of("OMPI_COMM_WORLD_RANK") && local && atoi(local) < team->ranks;
}

static bool read_host(const Launcher *l, DsprtTeam *team,
                      DsprtTeamError *error) {
  const char *host = value_of("MASTER_ADDR"), *list = NULL;
  if (l && strncmp(l->rank, "SLURM", 5) == 0) {
    list = value_of("SLURM_STEP_NODELIST");
    if (!list) list = value_of("SLURM_JOB_NODELIST");
    if (!list) list = value_of("SLURM_NODELIST");
  }
  if (host)
    snprintf(team->host, sizeof team->host, "%s", host);
  else if (list)
    first_host(list, team->host, sizeof team->host);
  else
    snprintf(team->host, sizeof team->host, "127.0.0.1");
  if (!host && is_spread(team))
    return fail(error, "ranks are on several machines: say where rank 0 is, "
                       "mpirun -x MASTER_ADDR=HOST ...");
  return true;
}

bool dsprt_team_read(DsprtTeam *team, DsprtTeamError *error) {
  const Launcher *launcher = find_launcher();
  *team = (DsprtTeam){.ranks = 1};
  if (launcher && !read_ranks(launcher, team, error)) {
    *team = (DsprtTeam){.ranks = 1};
    return false;
  }
  return read_host(launcher, team, error) &&
         read_optional("DSPRT_PORT", 1, 65519, 0, &team->port, error) &&
         read_optional("DSPRT_TIMEOUT", 0, 1000000, TIMEOUT, &team->timeout,
                       error);
}
