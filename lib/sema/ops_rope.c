// ops_rope.c - rotary position embeddings.
#include "ops.h"

/// A rope under construction.
typedef struct Rope {
  const DspArgs *args;
  uint32_t operands[2]; ///< x, angles
  DspAtoms pair;        ///< the dim of two positions
} Rope;

/// The dim of the pairs: one atom of two positions that x has.
static bool read_pair(DspSema *s, Rope *r) {
  if (!dsp_args_dims(s, r->args, r->args->over, r->operands[0], &r->pair, NULL,
                     NULL))
    return false;
  int64_t size = dsp_atoms_size(s, &r->pair);
  if (r->pair.count == 1 && size == 2) return true;
  DspDiag *diag = dsp_sema_error(
      s, DSP_E0402, r->args->over->range,
      "'rope' rotates the two positions of a dim, this has %lld",
      (long long)size);
  dsp_note_atom(s, diag, r->pair.ids[0]);
  dsp_help(s->diags, diag,
           "declare dim D = R * two with two = 2 for neighbours, or D = two * "
           "R for halves, and write over two");
  return false;
}

/// The angles: f32, with dims of x but the pair.
static bool check_angles(DspSema *s, const Rope *r) {
  const DspValueType *x = dsp_type_of(s, r->operands[0]);
  const DspValueType *own = dsp_type_of(s, r->operands[1]);
  DspRange range = r->args->plain[1]->range;
  if (own->element != DSP_F32) {
    DspDiag *diag = dsp_sema_error(s, DSP_E0404, range,
                                   "the angles are %s, 'rope' needs f32",
                                   dsp_element_name(own->element));
    dsp_help(s->diags, diag, "index(T) is f32: compute angles from it");
    return false;
  }
  for (size_t i = 0; i < own->atoms.count; i++) {
    uint32_t id = own->atoms.ids[i];
    bool is_pair = id == r->pair.ids[0];
    if (!is_pair && dsp_atoms_find(&x->atoms, id) >= 0) continue;
    DspStr atom = dsp_atom_text(s, id);
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0403, range,
        is_pair ? "the angles have %.*s: a pair has one angle"
                      : "the angles have %.*s, the rotated value has not",
        DSP_FMT(atom));
    dsp_note_atom(s, diag, id);
    return false;
  }
  return true;
}

/// rope(x, angles, over pair): x rotated by the angles, pair by pair
DspResult dsp_op_rope(DspSema *s, const DspArgs *args) {
  Rope r = {.args = args};
  for (size_t i = 0; i < 2; i++)
    if (!dsp_eval_value(s, args->plain[i], &r.operands[i]))
      return dsp_op_failed();
  if (!dsp_need_real(s, args->plain[0]->range, "rope", r.operands[0]) ||
      !read_pair(s, &r) || !check_angles(s, &r))
    return dsp_op_failed();
  DspModelOp op = dsp_op_new(s, DSP_MODEL_ROPE, args, 2, r.operands);
  op.over = r.pair;
  return dsp_op_add(s, op, *dsp_type_of(s, r.operands[0]));
}
