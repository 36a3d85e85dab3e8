// verify_moves.c - collectives change the layout as their names say.
//
// Partial sums are added along one axis at a time, with the other entry of the
// layout as it was.  Without partial sums one collective changes any entries:
//   shard       nobody receives anything
//   all_gather  entries become whole, no other changes
//   all_to_all  everything else
#include <stdio.h>

#include "verifier.h"

/// A change of layout, one entry an axis.
typedef struct Move {
  size_t naxes;
  const MlirStringRef *from, *to;
} Move;

static bool is(MlirStringRef layout, const char *text) {
  return mlirStringRefEqual(layout, mlirStringRefCreateFromCString(text));
}

static bool is_cut(MlirStringRef layout) {
  return !is(layout, "*") && !is(layout, "+");
}

static bool changes(const Move *m, size_t axis) {
  return !mlirStringRefEqual(m->from[axis], m->to[axis]);
}

/// Do both axes cut the same dim?
static bool is_nested(const Move *m, const MlirStringRef *layout) {
  return m->naxes == 2 && is_cut(layout[0]) &&
         mlirStringRefEqual(layout[0], layout[1]);
}

/// One axis changes: from partial to cut, or to whole.
static bool is_sum(const Move *m, bool scatter) {
  size_t count = 0, axis = 0;
  for (size_t a = 0; a < m->naxes; a++)
    if (changes(m, a)) axis = a, count++;
  if (count != 1 || !is(m->from[axis], "+")) return false;
  if (!scatter) return is(m->to[axis], "*");
  // axis 0 cannot cut what axis 1 has cut before it
  return is_cut(m->to[axis]) && (axis == 1 || !is_nested(m, m->to));
}

static bool has_partial(const Move *m) {
  for (size_t a = 0; a < m->naxes; a++)
    if (is(m->from[a], "+") || is(m->to[a], "+")) return true;
  return false;
}

/// Every entry that changes was whole, and no part moves: axis 0 does not come
/// to cut what axis 1 cuts.
static bool is_split(const Move *m) {
  for (size_t a = 0; a < m->naxes; a++)
    if (changes(m, a) && !is(m->from[a], "*")) return false;
  return !is_nested(m, m->to) || !changes(m, 0) || changes(m, 1);
}

static bool is_gather(const Move *m) {
  for (size_t a = 0; a < m->naxes; a++)
    if (changes(m, a) && !is(m->to[a], "*")) return false;
  return true;
}

static bool fits(const Move *m, DspOpKind kind) {
  bool any = false;
  for (size_t a = 0; a < m->naxes; a++) any |= changes(m, a);
  if (!any) return false;
  if (kind == DSP_OP_REDUCE_SCATTER) return is_sum(m, true);
  if (kind == DSP_OP_ALL_REDUCE) return is_sum(m, false);
  if (has_partial(m)) return false;
  if (kind == DSP_OP_SHARD) return is_split(m);
  if (kind == DSP_OP_ALL_GATHER) return is_gather(m);
  return !is_split(m) && !is_gather(m);
}

/// "'T', '*'"
static const char *layout_text(const Move *m, const MlirStringRef *layout,
                               DspNameText *out) {
  enum { SHOWN = 100 }; // of a name
  int n = 0;
  for (size_t a = 0; a < m->naxes; a++) {
    size_t length = layout[a].length < SHOWN ? layout[a].length : SHOWN;
    n += snprintf(out->text + n, sizeof out->text - (size_t)n, "%s'%.*s'",
                  a ? ", " : "", (int)length, layout[a].data);
  }
  return out->text;
}

bool dsp_verify_move(DspVerifier *v, const DspOpView *view) {
  Move m = {view->result->naxes, view->operands[0]->layout,
            view->result->layout};
  DspNameText from, to;
  if (fits(&m, view->kind)) return true;
  return dsp_verify_fail(v, view->op, "cannot change layout %s to %s",
                         layout_text(&m, m.from, &from),
                         layout_text(&m, m.to, &to));
}
