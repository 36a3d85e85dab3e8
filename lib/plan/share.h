// share.h - what one value adds to the dual bound: the cheapest tree of
// conversions from its maker to a few of its readers.
#ifndef DSPC_LIB_PLAN_SHARE_H
#define DSPC_LIB_PLAN_SHARE_H

#include <stdint.h>

#include "sets.h"

enum {
  DSP_SHARE_READERS = 4, ///< of one share; a value with more has several
  DSP_DUAL_SCALE = 256,  ///< parts of a byte, so that rounding costs little
};

/// "Cannot be".  What is at least half of it counts as that.
#define DSP_DUAL_NEVER ((int64_t)1 << 60)

/// Some readers of a value and its maker.  Position 0 is the maker, the
/// readers follow.  `add[p][l]` is what position p pays, besides the tree, to
/// be in layout l.
///
/// Where one op alone reads the value, in several places, that is one reader:
/// its labels are the sets of layouts that the op may need it in.
typedef struct DspShare {
  uint32_t count;       ///< layouts
  uint32_t npositions;  ///< 1 + readers
  const int64_t *near;  ///< [count][count] from x to: the cheapest conversions
  const int64_t *far;   ///< [count][count] the same, to x from
  uint32_t nlabels;     ///< of the one reader, or 0: the layouts
  const int64_t *serve; ///< [count][nlabels] from x to all of a label
  const int64_t *serve_by;             ///< [nlabels][count] the same
  const DspLayoutSet *labels;          ///< [nlabels]
  int64_t *add[1 + DSP_SHARE_READERS]; ///< each [count], or [nlabels]
} DspShare;

/// Bytes that are at least this much cannot be: they are more than any plan
/// that is asked for.
#define DSP_DUAL_MOST_BYTES ((int64_t)1 << 46)

/// Parts of a byte.
static inline int64_t dsp_dual_cost(int64_t bytes) {
  return bytes < DSP_DUAL_MOST_BYTES ? bytes * DSP_DUAL_SCALE : DSP_DUAL_NEVER;
}

static inline int64_t dsp_dual_add(int64_t a, int64_t b) {
  return a >= DSP_DUAL_NEVER || b >= DSP_DUAL_NEVER ? DSP_DUAL_NEVER : a + b;
}

/// How many layouts, or labels, a position chooses from.
static inline uint32_t dsp_share_width(const DspShare *share, uint32_t at) {
  return at > 0 && share->nlabels > 0 ? share->nlabels : share->count;
}

/// The least that the share costs in all when position `at` is in each layout;
/// `out` is [width].
void dsp_share_marginal(const DspShare *share, uint32_t at, int64_t *out);

/// At most the least that the share costs in all when the tree holds each
/// layout; `out` is [count].
void dsp_share_through(const DspShare *share, int64_t *out);

#endif
