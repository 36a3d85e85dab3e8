// init.h - start MPI.
#ifndef DSPRT_CPU_INIT_H
#define DSPRT_CPU_INIT_H

/// MPI_Init for programs of this runtime; MPI_Finalize ends it.
void dsprt_init(int *argc, char ***argv);

#endif
