// methods.c - known methods as restrictions of the one rule.
//
//   dsp          ops on sequence dims; neither rings nor gathered keys
//   ulysses      ops on the residual's dim d; attention over d on heads
//   megatron-sp  norms on d; linears on their weight dims; attention on heads
//   ring         ops on d; attention over d as a ring
//   data         ops on batch dims
//
// An op that has no dim of the kind (the time step, text beside video) is
// repeated by every rank, as the public implementations do; under dsp and data
// it is free.
//
// Needs:  all picks of an op (picks.h).
// Leaves: those of the method.
#include "methods.h"

#include <string.h>

static const struct {
  const char *name, *summary;
} methods[] = {
#define DSP_METHOD(id, name, summary) {name, summary},
#include "dspc/plan/methods.def"
};

const char *dsp_plan_method_name(DspPlanMethod method) {
  return methods[method].name;
}

const char *dsp_plan_method_summary(DspPlanMethod method) {
  return methods[method].summary;
}

bool dsp_plan_method_find(const char *name, DspPlanMethod *method) {
  for (size_t i = 0; i < DSP_METHOD_COUNT; ++i)
    if (strcmp(methods[i].name, name) == 0) {
      *method = (DspPlanMethod)i;
      return true;
    }
  return false;
}

bool dsp_method_keeps_residual(DspPlanMethod method) {
  return method == DSP_METHOD_ULYSSES || method == DSP_METHOD_MEGATRON_SP ||
         method == DSP_METHOD_RING;
}

static DspDimRole role_of_loop(DspPlanLoop loop) {
  if (loop.weight)
    return DSP_ROLE_WEIGHT;
  return loop.kind == DSP_LOOP_FREE ? DSP_ROLE_BATCH : DSP_ROLE_SEQUENCE;
}

/// A view that calls a dim otherwise gives both names the greater role.
/// Returns whether a role changed.
static bool share_roles(const DspPlanGraph *graph, const DspPlanOp *op,
                        DspDimRole *roles) {
  const DspPlanValue *x = &graph->values[op->operands[0]];
  const DspPlanValue *y = &graph->values[op->results[0]];
  bool changed = false;
  if (x->ndims != y->ndims) // a slice
    return false;
  for (size_t i = 0; i < x->ndims; ++i)
    for (size_t k = 0; k < y->ndims; ++k) {
      DspDimRole *a = &roles[x->dims[i]], *b = &roles[y->dims[k]];
      if (op->maps[i] != op->maps[x->ndims + k] || *a == *b)
        continue;
      *a = *b = *a > *b ? *a : *b;
      changed = true;
    }
  return changed;
}

const DspDimRole *dsp_dim_roles(DspArena *arena, const DspPlanGraph *graph) {
  DspDimRole *roles = DSP_NEW(arena, DspDimRole, graph->ndims);
  for (size_t o = 0; o < graph->nops; ++o)
    for (size_t i = 0; i < graph->ops[o].nloops; ++i) {
      DspPlanLoop loop = graph->ops[o].loops[i];
      if (role_of_loop(loop) > roles[loop.dim])
        roles[loop.dim] = role_of_loop(loop);
    }
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t o = 0; o < graph->nops; ++o)
      if (graph->ops[o].view)
        changed |= share_roles(graph, &graph->ops[o], roles);
  }
  for (size_t d = 0; d < graph->ndims; ++d)
    for (size_t i = 0; i < graph->dims[d].natoms; ++i)
      if (roles[graph->dims[d].atoms[i]] > roles[d])
        roles[d] = roles[graph->dims[d].atoms[i]];
  return roles;
}

bool dsp_method_has_dim(DspPlanMethod method, const DspPlanGraph *graph,
                        const DspDimRole *roles) {
  bool any = method != DSP_METHOD_DATA;
  for (size_t d = 0; d < graph->ndims && !any; ++d)
    any = roles[d] == DSP_ROLE_BATCH && graph->dims[d].size > 1;
  return any;
}

static bool has_loop(const DspPlanOp *op, uint32_t dim, DspLoopKind kind) {
  for (size_t i = 0; i < op->nloops; ++i)
    if (op->loops[i].dim == dim && op->loops[i].kind == kind)
      return true;
  return false;
}

/// Some dim of this role is a free loop of the op.
static bool has_role(const DspMethodRules *rules, const DspPlanOp *op,
                     DspDimRole role) {
  for (size_t i = 0; i < op->nloops; ++i)
    if (rules->roles[op->loops[i].dim] == role)
      return true;
  return false;
}

/// Attention over the residual's dim.
static bool crosses(const DspMethodRules *rules, const DspPlanOp *op) {
  return op->attention && (has_loop(op, rules->residual, DSP_LOOP_WHOLE) ||
                           has_loop(op, rules->residual, DSP_LOOP_RING));
}

static bool is_linear(const DspPlanOp *op) {
  for (size_t i = 0; i < op->nloops; ++i)
    if (op->loops[i].weight)
      return true;
  return false;
}

/// A part of the keys is enough for nobody: the queries are cut and the keys
/// are gathered.
static bool gathers_keys(const DspMethodRules *rules, const DspPlanOp *op,
                         const DspPick *pick) {
  const DspPlanDim *dim = &rules->graph->dims[pick->way.dim];
  if (!op->attention || pick->way.ring)
    return false;
  bool any = has_loop(op, pick->way.dim, DSP_LOOP_WHOLE) ||
             has_loop(op, pick->way.dim, DSP_LOOP_RING);
  for (size_t i = 0; i < dim->natoms; ++i)
    any |= has_loop(op, dim->atoms[i], DSP_LOOP_WHOLE) ||
           has_loop(op, dim->atoms[i], DSP_LOOP_RING);
  return any;
}

static bool on_heads(const DspMethodRules *rules, const DspPick *pick) {
  return rules->roles[pick->way.dim] == DSP_ROLE_WEIGHT && !pick->way.contracted;
}

static bool knows(const DspMethodRules *rules, const DspPlanOp *op,
                  const DspPick *pick) {
  bool residual = pick->way.dim == rules->residual && !pick->way.contracted;
  switch (rules->method) {
  case DSP_METHOD_DSP:
    return rules->roles[pick->way.dim] == DSP_ROLE_SEQUENCE && !pick->way.ring &&
           !gathers_keys(rules, op, pick);
  case DSP_METHOD_ULYSSES:
    return crosses(rules, op) ? on_heads(rules, pick) : residual;
  case DSP_METHOD_MEGATRON_SP:
    if (op->attention)
      return on_heads(rules, pick);
    return is_linear(op) ? rules->roles[pick->way.dim] == DSP_ROLE_WEIGHT
                         : residual;
  case DSP_METHOD_RING:
    return residual && (crosses(rules, op) ? pick->way.ring : true);
  case DSP_METHOD_DATA:
    return rules->roles[pick->way.dim] == DSP_ROLE_BATCH && !pick->way.contracted &&
           pick->size > 1;
  case DSP_METHOD_AUTO:
  case DSP_METHOD_COUNT: break;
  }
  return true;
}

/// Who has no dim of the method is not held to it.
static bool is_exempt(const DspMethodRules *rules, const DspPlanOp *op) {
  switch (rules->method) {
  case DSP_METHOD_DSP: return !has_role(rules, op, DSP_ROLE_SEQUENCE);
  case DSP_METHOD_MEGATRON_SP:
    return is_linear(op) && !has_loop(op, rules->residual, DSP_LOOP_FREE);
  case DSP_METHOD_DATA:
    return !has_role(rules, op, DSP_ROLE_BATCH);
  default: return rules->method == DSP_METHOD_AUTO;
  }
}

static bool must_find(const DspMethodRules *rules, const DspPlanOp *op) {
  switch (rules->method) {
  case DSP_METHOD_DSP:
  case DSP_METHOD_DATA: return true;
  case DSP_METHOD_ULYSSES:
  case DSP_METHOD_RING: return crosses(rules, op);
  case DSP_METHOD_MEGATRON_SP: return op->attention || is_linear(op);
  default: return false;
  }
}

bool dsp_method_picks(DspArena *arena, const DspMethodRules *rules,
                      const DspPlanOp *op, DspPickList *list) {
  if (dsp_plan_ranks(&rules->mesh) == 1 || op->pin != DSP_PLAN_NO_DIM || is_exempt(rules, op))
    return true;
  DspPickList kept = {0, DSP_NEW(arena, DspPick, list->count)};
  for (uint32_t i = 0; i < list->count; ++i)
    if (knows(rules, op, &list->picks[i]))
      kept.picks[kept.count++] = list->picks[i];
  *list = kept;
  if (rules->method == DSP_METHOD_RING && crosses(rules, op) &&
      rules->mesh.sizes[0] > 1 && rules->mesh.sizes[1] > 1)
    return false;
  return kept.count > 0 || !must_find(rules, op);
}

DspPickList dsp_picks_on(DspArena *arena, const uint32_t *dims,
                         DspPickList list) {
  DspPickList kept = {0, DSP_NEW(arena, DspPick, list.count)};
  for (uint32_t i = 0; i < list.count; ++i) {
    DspPlanWay way = list.picks[i].way;
    if ((way.dim == dims[0] || way.dim == dims[1]) && !way.contracted)
      kept.picks[kept.count++] = list.picks[i];
  }
  return kept.count ? kept : list;
}
