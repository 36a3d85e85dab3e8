// share.c - the cheapest tree of conversions of one value, with a price on
// each layout of its maker and of each reader.
//
// The tree is built from its leaves (Dreyfus, Wagner): what it costs to serve a
// set of readers from a layout is one conversion to where the set is split in
// two, and the two parts.  To fix one reader, the others hang on the way from
// the maker to it.
//
// Needs:  conversion costs that are closed: no detour is cheaper.
// Leaves: exact minima; never more than the true cost.
#include "share.h"

enum {
  MOST_SETS = 1 << DSP_SHARE_READERS,
  MOST_LAYOUTS = DSP_PLAN_MAX_LAYOUTS,
};

/// By set of readers and layout.
typedef int64_t Costs[MOST_SETS][MOST_LAYOUTS];

/// out[x] = min over y of table[x][y] + in[y], for `rows` times `columns`.
static void step(uint32_t rows, uint32_t columns, const int64_t *table,
                 const int64_t *in, int64_t *out) {
  for (uint32_t x = 0; x < rows; ++x) {
    int64_t least = DSP_DUAL_NEVER;
    for (uint32_t y = 0; y < columns; ++y) {
      int64_t cost = table[(size_t)x * columns + y] + in[y];
      least = cost < least ? cost : least;
    }
    out[x] = least < DSP_DUAL_NEVER / 2 ? least : DSP_DUAL_NEVER;
  }
}

static void go_near(const DspShare *share, const int64_t *in, int64_t *out) {
  step(share->count, share->count, share->near, in, out);
}

static void go_far(const DspShare *share, const int64_t *in, int64_t *out) {
  step(share->count, share->count, share->far, in, out);
}

/// out[x] = min of itself and a[x] + b[x].
static void join(uint32_t n, const int64_t *a, const int64_t *b, int64_t *out) {
  for (uint32_t x = 0; x < n; ++x)
    if (a[x] + b[x] < out[x]) out[x] = a[x] + b[x];
}

static void fill(uint32_t n, int64_t *out) {
  for (uint32_t x = 0; x < n; ++x) out[x] = DSP_DUAL_NEVER;
}

/// Serves every set of the `nreaders` at these positions from each layout.
static void serve(const DspShare *share, const uint32_t *positions,
                  uint32_t nreaders, Costs costs) {
  int64_t split[MOST_LAYOUTS];
  for (uint32_t set = 1; set < 1u << nreaders; ++set) {
    uint32_t low = set & -set;
    if (set == low) {
      go_near(share, share->add[positions[__builtin_ctz(set)]], costs[set]);
      continue;
    }
    fill(share->count, split);
    for (uint32_t part = (set - 1) & set; part > 0; part = (part - 1) & set)
      if (part & low) join(share->count, costs[part], costs[set ^ part], split);
    go_near(share, split, costs[set]);
  }
}

/// From the maker to each layout, with the readers of a set served on the way.
static void pass(const DspShare *share, uint32_t nreaders, const Costs costs,
                 Costs passed) {
  int64_t at[MOST_LAYOUTS];
  go_far(share, share->add[0], passed[0]);
  for (uint32_t set = 1; set < 1u << nreaders; ++set) {
    fill(share->count, at);
    for (uint32_t part = set; part > 0; part = (part - 1) & set)
      join(share->count, passed[set ^ part], costs[part], at);
    go_far(share, at, passed[set]);
  }
}

static void add_up(const DspShare *share, uint32_t at, const int64_t *rest,
                   int64_t *out) {
  for (uint32_t x = 0; x < dsp_share_width(share, at); ++x)
    out[x] =
        rest ? dsp_dual_add(share->add[at][x], rest[x]) : share->add[at][x];
}

/// The same where one reader has labels.
static void labelled_marginal(const DspShare *share, uint32_t at,
                              int64_t *out) {
  int64_t rest[MOST_LAYOUTS];
  if (at == 0) {
    step(share->count, share->nlabels, share->serve, share->add[1], rest);
    add_up(share, at, rest, out);
    return;
  }
  step(share->nlabels, share->count, share->serve_by, share->add[0], out);
  add_up(share, at, out, out);
}

void dsp_share_marginal(const DspShare *share, uint32_t at, int64_t *out) {
  if (share->nlabels > 0) {
    labelled_marginal(share, at, out);
    return;
  }
  Costs costs, passed;
  uint32_t others[DSP_SHARE_READERS] = {0}, n = 0;
  for (uint32_t p = 1; p < share->npositions; ++p)
    if (p != at) others[n++] = p;
  uint32_t all = (1u << n) - 1;
  serve(share, others, n, costs);
  if (at > 0) pass(share, n, (const int64_t(*)[MOST_LAYOUTS])costs, passed);
  add_up(share, at, at > 0 ? passed[all] : n > 0 ? costs[all] : NULL, out);
}

/// A tree to a label that holds x costs what the dearer of two parts of it
/// costs at least: the way to x, and the tree to the label.
static void labelled_through(const DspShare *share, int64_t *out) {
  int64_t by_maker[MOST_LAYOUTS];
  step(share->count, share->nlabels, share->serve, share->add[1], by_maker);
  int64_t least = DSP_DUAL_NEVER;
  for (uint32_t l = 0; l < share->nlabels; ++l)
    least = share->add[1][l] < least ? share->add[1][l] : least;
  for (uint32_t x = 0; x < share->count; ++x) {
    out[x] = DSP_DUAL_NEVER;
    for (uint32_t b = 0; b < share->count; ++b) {
      int64_t way = dsp_dual_add(share->far[x * share->count + b], least);
      int64_t cost = way > by_maker[b] ? way : by_maker[b];
      cost = dsp_dual_add(cost, share->add[0][b]);
      out[x] = cost < out[x] ? cost : out[x];
    }
  }
}

void dsp_share_through(const DspShare *share, int64_t *out) {
  if (share->nlabels > 0) {
    labelled_through(share, out);
    return;
  }
  Costs costs, passed;
  uint32_t readers[DSP_SHARE_READERS], n = share->npositions - 1;
  for (uint32_t p = 0; p < n; ++p) readers[p] = p + 1;
  uint32_t all = (1u << n) - 1;
  serve(share, readers, n, costs);
  pass(share, n, (const int64_t(*)[MOST_LAYOUTS])costs, passed);
  for (uint32_t x = 0; x < share->count; ++x) {
    out[x] = passed[all][x];
    for (uint32_t set = 0; set < all; ++set) {
      int64_t cost = dsp_dual_add(passed[set][x], costs[all ^ set][x]);
      out[x] = cost < out[x] ? cost : out[x];
    }
  }
}
