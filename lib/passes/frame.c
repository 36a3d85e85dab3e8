// frame.c - places for things that live at different times.
#include "frame.h"

#include <stdbool.h>
#include <stdlib.h>

#include "dspc/support/bug.h"

static int by_size_then_time(const void *left, const void *right) {
  const DspPlace *a = *(DspPlace *const *)left, *b = *(DspPlace *const *)right;
  if (a->bytes != b->bytes) return a->bytes > b->bytes ? -1 : 1;
  if (a->first != b->first) return a->first < b->first ? -1 : 1;
  return a < b ? -1 : a > b;
}

static bool live_together(const DspPlace *a, const DspPlace *b) {
  return a->first <= b->last && b->first <= a->last;
}

/// The lowest offset at which `place` meets none of the placed ones.
static int64_t lowest_fit(DspPlace *const *placed, size_t count,
                          const DspPlace *place) {
  int64_t offset = 0;
  for (bool moved = true; moved;) {
    moved = false;
    for (size_t i = 0; i < count; i++) {
      const DspPlace *other = placed[i];
      int64_t end = other->offset + other->bytes;
      if (!live_together(place, other) || offset >= end ||
          offset + place->bytes <= other->offset)
        continue;
      offset = end;
      moved = true;
    }
  }
  return offset;
}

int64_t dsp_frame_layout(DspPlace *places, size_t count) {
  DspPlace **order = malloc((count + 1) * sizeof *order);
  if (!order) dsp_bug("out of memory for %zu places", count);
  for (size_t i = 0; i < count; i++) {
    places[i].bytes =
        (places[i].bytes + DSP_ALIGNMENT - 1) / DSP_ALIGNMENT * DSP_ALIGNMENT;
    order[i] = &places[i];
  }
  qsort(order, count, sizeof *order, by_size_then_time);
  int64_t size = 0;
  for (size_t i = 0; i < count; i++) {
    order[i]->offset = lowest_fit(order, i, order[i]);
    int64_t end = order[i]->offset + order[i]->bytes;
    if (end > size) size = end;
  }
  free(order);
  return size;
}
