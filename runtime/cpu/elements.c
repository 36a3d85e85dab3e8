// elements.c - sets of elements of a local buffer, as MPI types.
//
// Needs:  cuts of adjacent dims, which may share dims with each other.
// Leaves: committed types that begin at the buffer's first byte.
//
// Two cuts that share no dim meet in a box.  Cuts that do share dims are walked
// in the flat index space of all dims from the first to the last of them, from
// border to border.
#include "elements.h"

#include <limits.h>
#include <stdlib.h>

#include "shape.h"
#include "state.h"

static int small(const DsprtRun *run, int64_t n) {
  if (n > INT_MAX)
    dsprt_fail(run, "a buffer of %lld runs is too large for MPI", (long long)n);
  return (int)n;
}

/// `n` times `bytes` bytes, also when there are more than an int counts.
static MPI_Datatype block_type(const DsprtRun *run, int64_t n, int64_t bytes) {
  MPI_Datatype element, chunk, block;
  const int64_t size = 1 << 20;
  MPI_Type_contiguous(small(run, bytes), MPI_BYTE, &element);
  if (n <= INT_MAX) {
    MPI_Type_contiguous((int)n, element, &block);
  } else {
    MPI_Datatype parts[2];
    MPI_Type_contiguous((int)size, element, &chunk);
    MPI_Type_contiguous(small(run, n / size), chunk, &parts[0]);
    MPI_Type_contiguous((int)(n % size), element, &parts[1]);
    MPI_Type_create_struct(2, (int[]){1, 1},
                           (MPI_Aint[]){0, (MPI_Aint)(n / size * size * bytes)},
                           parts, &block);
    MPI_Type_free(&chunk);
    MPI_Type_free(&parts[0]);
    MPI_Type_free(&parts[1]);
  }
  MPI_Type_free(&element);
  return block;
}

MPI_Datatype dsprt_box_type(const DsprtRun *run, DsprtBox box, int64_t bytes) {
  MPI_Datatype block, vector, moved;
  if (box.count == 0 || box.length == 0) return MPI_DATATYPE_NULL;
  block = block_type(run, box.length, bytes);
  MPI_Type_create_hvector(small(run, box.count), 1,
                          (MPI_Aint)(box.stride * bytes), block, &vector);
  MPI_Type_create_hindexed(1, (int[]){1},
                           (MPI_Aint[]){(MPI_Aint)(box.first * bytes)}, vector,
                           &moved);
  MPI_Type_commit(&moved);
  MPI_Type_free(&block);
  MPI_Type_free(&vector);
  return moved;
}

/// A cut within a flat index space of `size` elements: index u lies in the
/// rank's part when begin <= u / inner % n < begin + part.
typedef struct Side {
  int64_t n, inner, begin, part;
} Side;

static int64_t product(const DsprtShape *shape, int begin, int end) {
  int64_t n = 1;
  for (int i = begin; i < end; i++) n *= shape->dims[i];
  return n;
}

static Side side_of(const DsprtShape *shape, DsprtCut cut, int rank, int ranks,
                    int last) {
  int end = cut.first + cut.count;
  int64_t n = product(shape, cut.first, end);
  return (Side){.n = n,
                .inner = product(shape, end, last),
                .begin = dsprt_begin(n, rank, ranks),
                .part = dsprt_part(n, rank, ranks)};
}

static bool holds(const Side *side, int64_t u) {
  int64_t index = u / side->inner % side->n;
  return index >= side->begin && index < side->begin + side->part;
}

/// Where `u`, which the side holds, lies among all that it holds.
static int64_t place(const Side *side, int64_t u) {
  int64_t outer = u / (side->inner * side->n);
  int64_t index = u / side->inner % side->n - side->begin;
  return (outer * side->part + index) * side->inner + u % side->inner;
}

/// The next index after u at which holds() can change.
static int64_t border(const Side *side, int64_t u) {
  int64_t turn = side->inner * side->n, base = u - u % turn;
  int64_t begin = base + side->begin * side->inner;
  int64_t end = begin + side->part * side->inner;
  if (u < begin) return begin;
  return u < end ? end : base + turn;
}

typedef struct Runs {
  int count, capacity;
  int *lengths;
  MPI_Aint *places;
} Runs;

static void add_run(const DsprtRun *run, Runs *runs, int64_t at, int64_t length,
                    int64_t bytes) {
  if (runs->count == runs->capacity) {
    runs->capacity = runs->capacity ? 2 * runs->capacity : 64;
    size_t n = (size_t)runs->capacity;
    runs->lengths = realloc(runs->lengths, n * sizeof *runs->lengths);
    runs->places = realloc(runs->places, n * sizeof *runs->places);
    if (!runs->lengths || !runs->places)
      dsprt_fail(run, "out of memory for the types of a switch");
  }
  runs->lengths[runs->count] = small(run, length);
  runs->places[runs->count++] = (MPI_Aint)(at * bytes);
}

static Runs list_runs(const DsprtRun *run, const Side *a, const Side *b,
                      const Side *at, int64_t size, int64_t bytes) {
  Runs runs = {0};
  for (int64_t u = 0, next; u < size; u = next) {
    int64_t border_a = border(a, u), border_b = border(b, u);
    next = border_a < border_b ? border_a : border_b;
    if (next > size) next = size;
    if (holds(a, u) && holds(b, u))
      add_run(run, &runs, place(at, u), next - u, bytes);
  }
  return runs;
}

/// `runs` of blocks, `outer` times.
static MPI_Datatype runs_type(const DsprtRun *run, const Runs *runs,
                              int64_t outer, int64_t extent,
                              MPI_Datatype block) {
  MPI_Datatype once, all;
  if (runs->count == 0 || outer == 0) return MPI_DATATYPE_NULL;
  MPI_Type_create_hindexed(runs->count, runs->lengths, runs->places, block,
                           &once);
  MPI_Type_create_hvector(small(run, outer), 1, (MPI_Aint)extent, once, &all);
  MPI_Type_commit(&all);
  MPI_Type_free(&once);
  return all;
}

/// Both cuts take some of the dims first .. last - 1.
static MPI_Datatype overlapping(const DsprtRun *run, const DsprtShape *shape,
                                Side a, Side b, int first, int last,
                                bool in_from) {
  const Side *at = in_from ? &a : &b;
  int64_t rest = product(shape, last, shape->ndims);
  int64_t bytes = rest * dsprt_type_bytes(shape->type);
  int64_t size = product(shape, first, last);
  if (bytes == 0 || size == 0) return MPI_DATATYPE_NULL;
  Runs runs = list_runs(run, &a, &b, at, size, bytes);
  MPI_Datatype block = block_type(run, rest, dsprt_type_bytes(shape->type));
  int64_t extent = size / at->n * at->part * bytes;
  MPI_Datatype type =
      runs_type(run, &runs, product(shape, 0, first), extent, block);
  MPI_Type_free(&block);
  free(runs.lengths);
  free(runs.places);
  return type;
}

/// The part of `other` in a buffer that holds `own` cut, when they share no
/// dim.
static DsprtBox disjoint(const DsprtShape *shape, DsprtCut own, int rank,
                         DsprtCut other, int peer, int ranks) {
  int own_end = own.first + own.count;
  int64_t n = product(shape, own.first, own_end);
  DsprtRuns runs = dsprt_runs(shape, other, peer, ranks);
  DsprtBox box = {runs.count, runs.length, runs.stride, runs.first};
  int64_t part = dsprt_part(n, rank, ranks);
  if (n == 0) return (DsprtBox){0};
  if (own.first < other.first) {
    box.count = box.count / n * part;
  } else {
    box.length = box.length / n * part;
    box.stride = box.stride / n * part;
    box.first = box.first / n * part;
  }
  return box;
}

static int min(int a, int b) {
  return a < b ? a : b;
}

static int max(int a, int b) {
  return a > b ? a : b;
}

MPI_Datatype dsprt_common_type(const DsprtRun *run, const DsprtShape *shape,
                               DsprtCut from, int a, DsprtCut to, int b,
                               bool in_from) {
  int from_end = from.first + from.count, to_end = to.first + to.count;
  if (from_end <= to.first || to_end <= from.first) {
    DsprtBox box = in_from ? disjoint(shape, from, a, to, b, run->ranks)
                           : disjoint(shape, to, b, from, a, run->ranks);
    return dsprt_box_type(run, box, dsprt_type_bytes(shape->type));
  }
  int first = min(from.first, to.first), last = max(from_end, to_end);
  return overlapping(run, shape, side_of(shape, from, a, run->ranks, last),
                     side_of(shape, to, b, run->ranks, last), first, last,
                     in_from);
}
