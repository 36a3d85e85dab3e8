// param_cursor.h - one tensor after the other out of the parameter table.
#ifndef DSPRT_COMMON_PARAM_CURSOR_H
#define DSPRT_COMMON_PARAM_CURSOR_H

#include <stdbool.h>

#include "dsprt_program.h"

typedef struct DsprtParamCursor {
  const DsprtProgram *program;
  const DsprtParam *param; ///< at which the cursor stands
  char name[512];          ///< of its tensor
  size_t offset;           ///< of its pointer in the weights struct
  int next_param;
  int64_t iteration, iterations;
} DsprtParamCursor;

/// A cursor before the first tensor.
DsprtParamCursor dsprt_params(const DsprtProgram *program);
/// Goes on to the next tensor; false when there is none.
bool dsprt_next_param(DsprtParamCursor *cursor);

#endif
