// signals.h - a rank that dies says who it was.
#ifndef DSPRT_COMMON_SIGNALS_H
#define DSPRT_COMMON_SIGNALS_H

#include "dsprt_program.h"

/// From now on a fatal signal prints the rank and the stage of `run` before it
/// ends the process; mpirun then ends the other ranks.
void dsprt_signals_watch(const DsprtRun *run);

#endif
