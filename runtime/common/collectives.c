// collectives.c - the changes of layout on one axis, in terms of those on a mesh.
//
// Needs:  buffers as dsprt_collectives.h says.
// Leaves: what the functions of the target leave.
#include "dsprt_collectives.h"

#include "mesh.h"
#include "work.h"

void dsprt_all_to_all(DsprtRun *run, const void *in, void *out,
                      const DsprtShape *shape, DsprtCut from, DsprtCut to) {
  DSPRT_SPAN(run, DSPRT_WORK_SWITCH, "all-to-all", 0, 0);
  dsprt_redistribute(run, in, out, shape, dsprt_cuts(from), dsprt_cuts(to));
}

void dsprt_all_gather(DsprtRun *run, const void *in, void *out,
                      const DsprtShape *shape, DsprtCut cut) {
  DSPRT_SPAN(run, DSPRT_WORK_COLLECTIVE, "all-gather", 0, 0);
  dsprt_redistribute(run, in, out, shape, dsprt_cuts(cut),
                     dsprt_cuts(DSPRT_WHOLE));
}

void dsprt_reduce_scatter(DsprtRun *run, const void *in, void *out,
                          const DsprtShape *shape, DsprtCut cut,
                          DsprtReduction op, void *scratch) {
  dsprt_axis_reduce_scatter(run, 0, in, out, shape, dsprt_cuts(cut), op,
                            scratch);
}

void dsprt_all_reduce(DsprtRun *run, const void *in, void *out,
                      const DsprtShape *shape, DsprtReduction op,
                      void *scratch) {
  dsprt_axis_all_reduce(run, 0, in, out, shape, dsprt_cuts(DSPRT_WHOLE), op,
                        scratch);
}
