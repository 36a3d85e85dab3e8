// init.c - start MPI.
//
// Needs:  nothing.
// Leaves: MPI usable from the thread that called.
//
// In builds with AddressSanitizer, programs with MPI are not searched for
// leaks: Open MPI keeps memory to the end, and it has then unloaded the modules
// whose names a list of suppressions could hold.
#include "init.h"

#include <mpi.h>

#ifdef __SANITIZE_ADDRESS__
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "detect_leaks=0";
}
#endif

void dsprt_init(int *argc, char ***argv) {
  int threads;
  MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &threads);
}
