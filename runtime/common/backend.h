// backend.h - what a target provides to a run: ranks, memory, passes.
//
// cpu/backend.c and cuda/backend.c implement it; everything else of a run is
// the same for all targets.
#ifndef DSPRT_COMMON_BACKEND_H
#define DSPRT_COMMON_BACKEND_H

#include <stdbool.h>

#include "dsprt_program.h"
#include "weights.h"

/// Finds the other ranks; sets rank, ranks and state of `run`.
void dsprt_backend_open(DsprtRun *run, int *argc, char ***argv,
                        const DsprtProgram *program);
void dsprt_backend_close(DsprtRun *run);

/// Prepares the rank for computing; returns its threads of the host.
int dsprt_backend_prepare(DsprtRun *run);

/// Lets products of f32 compute in TF32; false where there is no such thing.
bool dsprt_backend_allow_tf32(DsprtRun *run);

/// Allocates the arena of activations, run->arena, where the program
/// computes.  Returns memory of the host with the same offsets, in which
/// inputs and outputs lie: the arena itself, or a mirror of it; NULL when
/// there is no memory.
unsigned char *dsprt_backend_arena(DsprtRun *run, int64_t bytes);
/// Bytes that dsprt_backend_arena holds where the program computes.
int64_t dsprt_backend_arena_bytes(const DsprtRun *run);

/// Bytes of a GPU that this rank took at most at a time, and how many were
/// predicted; both 0 on CPUs.
typedef struct DsprtDeviceMemory {
  int64_t predicted, taken;
} DsprtDeviceMemory;
DsprtDeviceMemory dsprt_backend_memory(const DsprtRun *run);

/// Sets run->weights: the struct of pointers, brought to where the program
/// computes.  Returns false when there is no memory.
bool dsprt_backend_weights(DsprtRun *run, DsprtWeights *weights);

/// Copies a piece of the arena from or to the host's memory.
void dsprt_backend_put(DsprtRun *run, int64_t offset, int64_t bytes);
void dsprt_backend_get(DsprtRun *run, int64_t offset, int64_t bytes);

/// One forward pass of all ranks, which begin together; returns seconds.  The
/// first one is `counted`; later ones may replay it.
double dsprt_backend_forward(DsprtRun *run, bool counted);
/// Bytes that left this rank in the counted pass.
int64_t dsprt_backend_counted(const DsprtRun *run);

/// Bytes that left this rank so far.
int64_t dsprt_backend_leaving(const DsprtRun *run);

/// One forward pass of all ranks, which begin together, call by call: for a
/// profile.  Sets mark 0 at its begin.
void dsprt_backend_stepwise(DsprtRun *run);
/// Marks the time at which what was called so far is done.
void dsprt_backend_mark(DsprtRun *run, int64_t index);
/// Waits; seconds from mark 0 to the marks before `count`.  Returns the time of
/// mark 0 on the host's monotonic clock.
double dsprt_backend_marks(DsprtRun *run, int64_t count, double *seconds);

/// What a rank could do at best; 0: not known.
typedef struct DsprtLimits {
  double flops; ///< a second, of products and attention
  double bytes; ///< a second, from and to its memory
} DsprtLimits;

/// When products are of `type`.
DsprtLimits dsprt_backend_limits(const DsprtRun *run, DsprtType type);

// Of all ranks, together.
void dsprt_backend_gather_bytes(const DsprtRun *run, const void *mine,
                                int64_t bytes, void *all);
void dsprt_backend_gather(const DsprtRun *run, int64_t mine, int64_t *all);
void dsprt_backend_largest(const DsprtRun *run, double *values, int count);

/// Prints "rank 2 of 4, stage 'mlp': ..." and ends all ranks.
#ifdef __cplusplus
[[noreturn]]
#else
_Noreturn
#endif
void dsprt_fail(const DsprtRun *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
