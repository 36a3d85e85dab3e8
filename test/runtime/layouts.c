// layouts.c - who holds which element, found by asking for each one, not by the
// arithmetic of the runtime.
//
// Needs:  cuts of adjacent dims.
// Leaves: nothing but its results.
#include "layouts.h"

/// The index of an element in the dims of a cut, and how many there are.
static int64_t index_in(const DsprtShape *shape, DsprtCut cut, int64_t element,
                        int64_t *extent) {
  int64_t inner = 1;
  *extent = 1;
  for (int i = cut.first + cut.count; i < shape->ndims; i++)
    inner *= shape->dims[i];
  for (int i = cut.first; i < cut.first + cut.count; i++)
    *extent *= shape->dims[i];
  return element / inner % *extent;
}

/// Cuts an index space; false when the index is in another part.
static bool enter(int64_t *index, int64_t *extent, int at, int parts) {
  int64_t begin = 0;
  for (int i = 0; i < at; i++)
    begin += *extent / parts + (i < *extent % parts);
  *extent = *extent / parts + (at < *extent % parts);
  *index -= begin;
  return *index >= 0 && *index < *extent;
}

bool rank_holds(DsprtMesh mesh, const DsprtShape *shape, DsprtCuts cuts,
                int rank, int64_t element) {
  DsprtCut a = cuts.axes[0], b = cuts.axes[1];
  int n0 = mesh.sizes[0], n1 = mesh.sizes[1];
  int64_t extent, index = index_in(shape, a, element, &extent);
  if (a.count && !enter(&index, &extent, rank / n1, n0)) return false;
  bool nested = a.count && a.count == b.count && a.first == b.first;
  if (!nested) index = index_in(shape, b, element, &extent);
  return !b.count || enter(&index, &extent, rank % n1, n1);
}

/// Both axes cut the same dims, or dims that lie apart.
static bool go_together(DsprtCut a, DsprtCut b) {
  bool same = a.first == b.first && a.count == b.count;
  return same || a.first + a.count <= b.first || b.first + b.count <= a.first;
}

int layouts_of(const DsprtShape *shape, DsprtCuts *list) {
  DsprtCut cuts[MAX_LAYOUTS] = {DSPRT_WHOLE};
  int n = 1, count = 0;
  for (int a = 0; a < shape->ndims; a++)
    for (int end = a + 1; end <= shape->ndims; end++)
      cuts[n++] = (DsprtCut){a, end - a};
  for (int a = 0; a < n; a++)
    for (int b = 0; b < n; b++)
      if (!cuts[a].count || !cuts[b].count || go_together(cuts[a], cuts[b]))
        list[count++] = (DsprtCuts){{cuts[a], cuts[b]}};
  return count;
}
