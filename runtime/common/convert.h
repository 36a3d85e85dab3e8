// convert.h - arrays of elements from one type to another.
#ifndef DSPRT_COMMON_CONVERT_H
#define DSPRT_COMMON_CONVERT_H

#include <stdbool.h>

#include "dsprt_types.h"

/// Floating-point types convert into each other; i32 stays i32.
bool dsprt_converts(DsprtType from, DsprtType to);

/// Converts `count` elements; `in` may have any alignment.
void dsprt_convert(DsprtType from, const void *in, DsprtType to, void *out,
                   int64_t count);

/// One element as f32; `in` may have any alignment.
float dsprt_element(DsprtType type, const void *in, int64_t index);

#endif
