// layouts.h - who holds which element, for tests of changes of cuts.
#ifndef DSPRT_TEST_LAYOUTS_H
#define DSPRT_TEST_LAYOUTS_H

#include <stdbool.h>

#include "dsprt_types.h"

enum { MAX_LAYOUTS = 128 }; ///< of a value of four dims

bool rank_holds(DsprtMesh mesh, const DsprtShape *shape, DsprtCuts cuts,
                int rank, int64_t element);
/// All pairs of cuts that a mesh of two axes may have, into `list`
/// [MAX_LAYOUTS]; returns how many.
int layouts_of(const DsprtShape *shape, DsprtCuts *list);

#endif
