// agree.h - all ranks go on, or none.
#ifndef DSPRT_COMMON_AGREE_H
#define DSPRT_COMMON_AGREE_H

#include <stdbool.h>

#include "dsprt_program.h"
#include "errors.h"

/// Collective.  True when no rank has errors.  Otherwise the first rank that
/// has some prints them, once, with its number unless all ranks failed; the
/// errors are empty afterwards.
bool dsprt_agree(const DsprtRun *run, DsprtErrors *errors);

#endif
