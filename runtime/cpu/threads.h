// threads.h - how many threads a rank may use.
#ifndef DSPRT_CPU_THREADS_H
#define DSPRT_CPU_THREADS_H

#include <mpi.h>

/// Unless OMP_NUM_THREADS is set: the cores that this rank may run on, divided
/// by the ranks of this machine that may run on one of them too.  Returns the
/// number of threads.
int dsprt_threads_set(MPI_Comm comm);

#endif
