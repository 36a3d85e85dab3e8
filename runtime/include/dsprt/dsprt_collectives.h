// dsprt_collectives.h - the changes of layout that move bytes.
//
// All are collective: every rank calls them, in the same order, with the same
// shape and cuts.  `shape` holds global sizes; the buffers hold this rank's
// part, row major, without padding.  Every byte that leaves the rank is
// counted.
#ifndef DSPRT_COLLECTIVES_H
#define DSPRT_COLLECTIVES_H

#include "dsprt_profile.h"
#include "dsprt_program.h"
#include "dsprt_types.h"

typedef enum DsprtReduction {
  DSPRT_SUM,
  DSPRT_MAX,
} DsprtReduction;

/// Switches the cut from `from` to `to`: the dynamic switch.
///
///   in   the part of this rank when `from` is cut
///   out  the part of this rank when `to` is cut; must not overlap `in`
///
/// The cuts may share dims: from (rows, cols) to rows.
/// Traffic: what the rank holds and does not keep.
/// Source: the dynamic switch of DSP, arXiv:2403.10266.
void dsprt_all_to_all(DsprtRun *run, const void *in, void *out,
                      const DsprtShape *shape, DsprtCut from, DsprtCut to);

/// Makes a cut value whole on every rank.
///
///   in   this rank's part     out  the whole; must not overlap `in`
///
/// Traffic: ranks - 1 times this rank's part.
void dsprt_all_gather(DsprtRun *run, const void *in, void *out,
                      const DsprtShape *shape, DsprtCut cut);

/// Reduces the partial values of all ranks; each keeps its part.
///
///   in       the whole shape, this rank's partial values
///   out      this rank's part; must not overlap `in`
///   scratch  dsprt_reduce_scatter_scratch bytes; overlaps neither
///
/// Adds in the order of the ranks, in f32 (i32 for i32): the result does not
/// depend on timing.
/// Traffic: the whole without this rank's part.
void dsprt_reduce_scatter(DsprtRun *run, const void *in, void *out,
                          const DsprtShape *shape, DsprtCut cut,
                          DsprtReduction op, void *scratch);

/// Reduces the partial values of all ranks; each gets the whole.  `out` may be
/// `in`.  `scratch`: dsprt_all_reduce_scratch bytes.
///
/// Traffic: a reduce-scatter and an all-gather of the flat elements.
void dsprt_all_reduce(DsprtRun *run, const void *in, void *out,
                      const DsprtShape *shape, DsprtReduction op,
                      void *scratch);

// On a mesh of two axes.  The functions above cut on axis 0 alone, and are the
// ones below on a mesh of one axis.

/// Moves a value from any cuts to any others.  Every rank receives what it
/// needs and does not hold: from the rank that has its own index on the axes on
/// which `from` is whole.
///
///   in   the part of this rank when `from` is cut
///   out  the part of this rank when `to` is cut; must not overlap `in`
///
/// Traffic: one exchange; what others need and do not hold.
void dsprt_redistribute(DsprtRun *run, const void *in, void *out,
                        const DsprtShape *shape, DsprtCuts from, DsprtCuts to);

/// Reduces the partial values of the ranks along `axis`; each keeps its part.
///
///   in       the part of this rank when `to` is cut on the other axis alone
///   out      the part of this rank when `to` is cut; must not overlap `in`
///   scratch  (size of the axis) * (bytes of the largest `out` of any rank)
///
/// `to` may cut the same dims on both axes when `axis` is 1.
/// Adds in the order of the ranks, as dsprt_reduce_scatter does.
/// Traffic: inside the groups along the axis; `in` without `out`.
void dsprt_axis_reduce_scatter(DsprtRun *run, int axis, const void *in,
                               void *out, const DsprtShape *shape,
                               DsprtCuts to, DsprtReduction op, void *scratch);

/// Reduces the partial values of the ranks along `axis`; each gets all of it.
///
///   in, out  the part of this rank when `cuts` is cut, which leaves `axis`
///            whole; `out` may be `in`
///   scratch  (size of the axis) * ceil(elements / size of the axis) * bytes
///            of an element, for the largest `in` of any rank
///
/// Traffic: inside the groups along the axis; a reduce-scatter and an
/// all-gather of the flat elements.
void dsprt_axis_all_reduce(DsprtRun *run, int axis, const void *in, void *out,
                           const DsprtShape *shape, DsprtCuts cuts,
                           DsprtReduction op, void *scratch);

/// ranks * (bytes of the largest part).
int64_t dsprt_reduce_scatter_scratch(const DsprtShape *shape, DsprtCut cut,
                                     int ranks);
/// ranks * ceil(elements / ranks) * bytes of an element.
int64_t dsprt_all_reduce_scratch(const DsprtShape *shape, int ranks);

#endif
