// holds.c - what an op holds in memory, counted element by element.
#include "holds.h"

#include "owners.h"

static int64_t bytes_of(DspArena *arena, const DspPlanGraph *graph,
                        const DspPlanMesh *mesh, uint32_t value,
                        DspPlanLayout layout) {
  DspPlanShape shape = judge_shape(arena, graph, value);
  int64_t elements = owners_elements(&shape), held = 0;
  for (int64_t e = 0; e < elements; ++e)
    held += owners_hold(&shape, mesh, layout, 0, e);
  return held * shape.element_bytes;
}

/// Does the op read this operand's value as an earlier operand, too?
static bool is_again(const DspPlanOp *op, size_t operand) {
  for (size_t i = 0; i < operand; ++i)
    if (op->operands[i] == op->operands[operand])
      return true;
  return false;
}

/// A value that is read twice counts once, in the larger layout.
static int64_t operand_bytes(DspArena *arena, const DspPlanGraph *graph,
                             const DspPlanMesh *mesh, const DspPlanOp *op,
                             size_t operand, const DspPlanLayout *layouts,
                             const DspPlanLayout *lies) {
  int64_t most = 0;
  if (is_again(op, operand))
    return 0;
  if (graph->values[op->operands[operand]].is_param)
    return dsp_plan_layout_equal(layouts[operand], lies[operand])
               ? 0
               : bytes_of(arena, graph, mesh, op->operands[operand],
                          layouts[operand]);
  for (size_t i = operand; i < op->noperands; ++i)
    if (op->operands[i] == op->operands[operand]) {
      int64_t bytes = bytes_of(arena, graph, mesh, op->operands[i], layouts[i]);
      most = bytes > most ? bytes : most;
    }
  return most;
}

Memory holds_of(DspArena *arena, const DspPlanGraph *graph,
                const DspPlanMesh *mesh, size_t number,
                const DspPlanLayout *operands, const DspPlanLayout *lies,
                const DspPlanLayout *results, bool all) {
  const DspPlanOp *op = &graph->ops[number];
  Memory memory = {0, 0};
  if (op->kind == DSP_PLAN_PARAM) {
    memory.weights = bytes_of(arena, graph, mesh, op->results[0], results[0]);
    return memory;
  }
  bool part = op->kind == DSP_PLAN_ELEMENTWISE ||
              (op->kind == DSP_PLAN_COMPUTE && !op->partial && !op->attention);
  if (!all && part)
    return memory;
  for (size_t i = 0; i < op->noperands; ++i)
    memory.most += operand_bytes(arena, graph, mesh, op, i, operands, lies);
  for (size_t i = 0; i < op->nresults; ++i)
    memory.most += bytes_of(arena, graph, mesh, op->results[i], results[i]);
  return memory;
}

Memory holds_also(Memory memory, Memory op) {
  memory.weights += op.weights;
  if (op.most > memory.most)
    memory.most = op.most;
  return memory;
}

Memory holds_of_plan(DspArena *arena, const DspPlanGraph *graph,
                     const DspPlanMesh *mesh, const DspPlan *plan, bool all) {
  Memory memory = {0, 0};
  DspPlanLayout *made =
      dsp_arena_alloc(arena, (graph->nvalues + 1) * sizeof *made);
  for (size_t o = 0; o < graph->nops; ++o) {
    const DspPlanOp *op = &graph->ops[o];
    const DspPlanPick *pick = &plan->picks[o];
    DspPlanLayout lies[8];
    for (size_t i = 0; i < op->nresults; ++i)
      made[op->results[i]] = pick->results[i];
    for (size_t i = 0; i < op->noperands; ++i)
      lies[i] = made[op->operands[i]];
    memory = holds_also(memory, holds_of(arena, graph, mesh, o, pick->operands,
                                         lies, pick->results, all));
  }
  return memory;
}
