// threads.c - how many threads a rank may use.
//
// Needs:  MPI initialised; Linux.
// Leaves: OpenMP's number of threads set; OpenBLAS follows it.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "threads.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>

/// How many ranks of `comm` may run on a core of `mine`.
static int count_sharers(MPI_Comm comm, const cpu_set_t *mine) {
  int ranks = 1, sharers = 0;
  MPI_Comm_size(comm, &ranks);
  cpu_set_t *all = calloc((size_t)ranks, sizeof *all);
  if (!all) return ranks;
  MPI_Allgather(mine, sizeof *mine, MPI_BYTE, all, sizeof *mine, MPI_BYTE,
                comm);
  for (int i = 0; i < ranks; i++) {
    cpu_set_t both;
    CPU_AND(&both, &all[i], mine);
    sharers += CPU_COUNT(&both) > 0;
  }
  free(all);
  return sharers;
}

int dsprt_threads_set(MPI_Comm comm) {
  cpu_set_t mine;
  MPI_Comm machine;
  CPU_ZERO(&mine);
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) CPU_SET(0, &mine);
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  int sharers = count_sharers(machine, &mine);
  MPI_Comm_free(&machine);
  int threads = CPU_COUNT(&mine) / (sharers > 0 ? sharers : 1);
  if (!getenv("OMP_NUM_THREADS"))
    omp_set_num_threads(threads > 0 ? threads : 1);
  return omp_get_max_threads();
}
