// dsprt.h - the runtime of programs that dspc emits.
//
// The only header that an emitted program includes.  In reading order:
//   dsprt_types.h        element types, shapes, cuts, parts
//   dsprt_math.h         scalar functions for emitted loops
//   dsprt_program.h      the tables of a program, and dsprt_main
//   dsprt_profile.h      spans of a pass
//   dsprt_collectives.h  what moves bytes between ranks
//   dsprt_compute.h      linear, norms, attention, copies
//   dsprt_fused.h        GPUs: linears with what follows them
//
// Nothing here returns an error: a rank that cannot go on prints one message
// that names the rank and the stage, and ends all ranks.
#ifndef DSPRT_H
#define DSPRT_H

#include "dsprt_collectives.h"
#include "dsprt_compute.h"
#include "dsprt_fused.h"
#include "dsprt_math.h"
#include "dsprt_profile.h"
#include "dsprt_program.h"
#include "dsprt_types.h"

#endif
