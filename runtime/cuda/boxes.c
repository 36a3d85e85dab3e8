// boxes.c - which elements two ranks have in common, as strided boxes.
//
// Needs:  cuts of one shape.
// Leaves: boxes in the buffers of the two ranks, with equal sizes.
#include "exchange.h"
#include "shape.h"

int64_t dsprt_box_elements(const DsprtBox *box) {
  int64_t n = 1;
  for (int i = 0; i < DSPRT_BOX_DIMS; i++) n *= box->size[i];
  return n;
}

DsprtBox dsprt_flat_box(int64_t offset, int64_t elements) {
  return (DsprtBox){offset, {1, 1, 1, 1, elements}, {0, 0, 0, 0, 1}};
}

DsprtBox dsprt_part_box(const DsprtShape *shape, DsprtCut cut, int rank,
                        int ranks) {
  DsprtRuns runs = dsprt_runs(shape, cut, rank, ranks);
  return (DsprtBox){runs.first,
                    {1, 1, 1, runs.count, runs.length},
                    {0, 0, 0, runs.stride, 1}};
}

static int64_t product(const DsprtShape *shape, int begin, int end) {
  int64_t n = 1;
  for (int i = begin; i < end; i++) n *= shape->dims[i];
  return n;
}

/// The indices that a rank holds of some extent.
typedef struct Range {
  int64_t begin, size;
} Range;

static Range range_of(int64_t extent, int rank, int ranks) {
  return (Range){dsprt_begin(extent, rank, ranks),
                 dsprt_part(extent, rank, ranks)};
}

/// A value seen as [outer, first, middle, second, inner]: the two cuts, in the
/// order of memory, and what lies around them.
typedef struct FiveDims {
  int64_t size[DSPRT_BOX_DIMS];
} FiveDims;

/// A box of ranges of the five dims in memory that holds `held` of them.
static DsprtBox box_of(const int64_t *held, const Range *first,
                       const Range *second, const FiveDims *all) {
  DsprtBox box = {0};
  int64_t stride = 1;
  for (int i = DSPRT_BOX_DIMS; i-- > 0;) {
    box.size[i] = all->size[i];
    box.stride[i] = stride;
    stride *= held[i];
  }
  box.size[1] = first->size;
  box.size[3] = second->size;
  box.offset = first->begin * box.stride[1] + second->begin * box.stride[3];
  return box;
}

static int switch_of_two(const DsprtShape *shape, DsprtCut from, DsprtCut to,
                         int rank, int peer, int ranks,
                         DsprtMessage *message) {
  int is_first = from.first < to.first; // the old cut is the outer one
  DsprtCut a = is_first ? from : to, b = is_first ? to : from;
  FiveDims all = {{product(shape, 0, a.first),
                   product(shape, a.first, a.first + a.count),
                   product(shape, a.first + a.count, b.first),
                   product(shape, b.first, b.first + b.count),
                   product(shape, b.first + b.count, shape->ndims)}};
  int old = is_first ? 1 : 3, new = is_first ? 3 : 1;
  Range held_old = range_of(all.size[old], rank, ranks);
  Range peer_old = range_of(all.size[old], peer, ranks);
  Range held_new = range_of(all.size[new], rank, ranks);
  Range peer_new = range_of(all.size[new], peer, ranks);
  Range own_old = {0, held_old.size}, own_new = {0, held_new.size};
  int64_t before[DSPRT_BOX_DIMS], after[DSPRT_BOX_DIMS];
  for (int i = 0; i < DSPRT_BOX_DIMS; i++) before[i] = after[i] = all.size[i];
  before[old] = held_old.size;
  after[new] = held_new.size;
  message->send = is_first ? box_of(before, &own_old, &peer_new, &all)
                           : box_of(before, &peer_new, &own_old, &all);
  message->receive = is_first ? box_of(after, &peer_old, &own_new, &all)
                              : box_of(after, &own_new, &peer_old, &all);
  return 1;
}

static Range common(Range a, Range b) {
  int64_t begin = a.begin > b.begin ? a.begin : b.begin;
  int64_t end = a.begin + a.size < b.begin + b.size ? a.begin + a.size
                                                    : b.begin + b.size;
  return (Range){begin, end > begin ? end - begin : 0};
}

/// The range of a rank in units of `unit` indices of the finer cut.
static Range scaled(int64_t extent, int64_t unit, int rank, int ranks) {
  Range range = range_of(extent, rank, ranks);
  return (Range){range.begin * unit, range.size * unit};
}

/// Both cuts begin at the same dim: both are ranges of one flat index.
static int switch_of_nested(const DsprtShape *shape, DsprtCut from, DsprtCut to,
                            int rank, int peer, int ranks,
                            DsprtMessage *message) {
  int end = from.first + (from.count > to.count ? from.count : to.count);
  int64_t extent = product(shape, from.first, end);
  int64_t outer = product(shape, 0, from.first);
  int64_t inner = product(shape, end, shape->ndims);
  int64_t of_from = product(shape, from.first, from.first + from.count);
  int64_t of_to = product(shape, to.first, to.first + to.count);
  Range mine_from = scaled(of_from, extent / of_from, rank, ranks);
  Range mine_to = scaled(of_to, extent / of_to, rank, ranks);
  Range go = common(mine_from, scaled(of_to, extent / of_to, peer, ranks));
  Range come = common(mine_to, scaled(of_from, extent / of_from, peer, ranks));
  message->send = (DsprtBox){(go.begin - mine_from.begin) * inner,
                             {1, 1, 1, outer, go.size * inner},
                             {0, 0, 0, mine_from.size * inner, 1}};
  message->receive = (DsprtBox){(come.begin - mine_to.begin) * inner,
                                {1, 1, 1, outer, come.size * inner},
                                {0, 0, 0, mine_to.size * inner, 1}};
  return 1;
}

int dsprt_switch_boxes(const DsprtShape *shape, DsprtCut from, DsprtCut to,
                       int rank, int peer, int ranks, DsprtMessage *message) {
  if (from.first + from.count <= to.first || to.first + to.count <= from.first)
    return switch_of_two(shape, from, to, rank, peer, ranks, message);
  if (from.first == to.first)
    return switch_of_nested(shape, from, to, rank, peer, ranks, message);
  return 0;
}
