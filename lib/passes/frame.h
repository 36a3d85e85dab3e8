// frame.h - places for things that live at different times.
#ifndef DSPC_LIB_PASSES_FRAME_H
#define DSPC_LIB_PASSES_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum { DSP_ALIGNMENT = 256 }; ///< of every place, in bytes

/// One thing that needs memory from op `first` to op `last`, both included.
typedef struct DspPlace {
  int64_t bytes;
  int64_t first, last;
  int64_t offset; ///< set by dsp_frame_layout
} DspPlace;

/// Gives every place an offset so that no two that live at the same time
/// overlap; returns the bytes of the frame.  Larger ones choose first, then
/// earlier ones; each takes the lowest offset that fits.  Deterministic.
int64_t dsp_frame_layout(DspPlace *places, size_t count);

#endif
