// rules.h - a graph of loop nests over named dims in; for every op the dim to
// cut, and for every value its layouts and conversions, out.
//
// One rule gives the alternatives of every op.  To run on N ranks, an op picks
// one of its loops, or several that are adjacent and make a product dim:
//
//   free        in the results: operands that have it are S(d), others R; the
//               results are S(d)
//   contracted  in no result: operands that have it are S(d), others R; the
//               results are P
//   whole       cannot be picked
//   ring        attention alone: its queries and its keys are cut on the same
//               dim, and keys and values travel round the ranks inside the op
//   none        everything is R, every rank does all of the work
//
// On a mesh of two axes an op has one pick an axis, and a value the layouts of
// both.  The two picks cut different loops, or the same ones in the same way;
// only one of them may be a ring.  A dim of a weight is picked along the inner
// axis alone (and along both under megatron-sp).
//
// Balanced work: dims smaller than N are offered only where no dim of at least
// N elements is; `none` only where an op has nothing to cut, or is small, or
// works on parameters alone.  Dims that only elementwise ops could cut are not
// offered (lib/plan/picks.c says why nothing is lost).
#ifndef DSPC_PLAN_RULES_H
#define DSPC_PLAN_RULES_H

#include "dspc/plan/collective.h"
#include "dspc/plan/plan.h"

/// A dim of the model: an atom (natoms is 0) or a product of atoms, given in
/// order.  A dim's index is its id, and its rank among equal plans: put them
/// in source order.
typedef struct DspPlanDim {
  const char *name;
  int64_t size;
  size_t natoms;
  const uint32_t *atoms; ///< ids of atoms
} DspPlanDim;

typedef struct DspPlanValue {
  const char *name;
  size_t ndims;
  const uint32_t *dims; ///< [ndims] atoms, row major; parameters may repeat one
  int64_t element_bytes;
  bool is_param;
} DspPlanValue;

typedef enum DspLoopKind {
  DSP_LOOP_FREE,
  DSP_LOOP_CONTRACTED,
  DSP_LOOP_WHOLE,
  DSP_LOOP_RING, ///< whole; or cut together with the free loop of the same dim,
                 ///< when each operand that has it travels round the ranks
} DspLoopKind;

/// One loop of an op.  Two loops may run over the same dim: attention over S
/// is free in the S of Q and needs the S of K and V whole.
typedef struct DspPlanLoop {
  uint32_t dim; ///< an atom
  DspLoopKind kind;
  bool weight; ///< cutting it cuts a weight: only with `allow_tensor`
} DspPlanLoop;

typedef enum DspPlanOpKind {
  DSP_PLAN_COMPUTE,
  DSP_PLAN_ELEMENTWISE, ///< maps, slices, rearrangements: any dim would do
  DSP_PLAN_INPUT,       ///< one result, in any S(d) or R, at no cost
  DSP_PLAN_PARAM,       ///< one result in R; any S(d) with `allow_tensor`
  DSP_PLAN_OUTPUT,      ///< one operand, in any layout but P
} DspPlanOpKind;

/// An op.  `maps` says, for every dim of every operand and then of every
/// result, which loop it belongs to: one run of ndims entries per value.
/// Inputs, params and outputs have no loops and no maps.
typedef struct DspPlanOp {
  DspPlanOpKind kind;
  size_t noperands;
  const uint32_t *operands;
  size_t nresults;
  const uint32_t *results;
  size_t nloops;
  const DspPlanLoop *loops;
  const uint8_t *maps;
  bool partial; ///< partial sums are meaningful: contracted loops may be cut
  bool view;      ///< takes no time: a slice
  bool attention; ///< methods treat it apart: it may run on heads or as a ring
  uint32_t pin; ///< the dim that must be picked, or DSP_PLAN_NO_DIM
  uint32_t stage; ///< ops of one block; among equal plans, they are not cut on
                  ///< what some op of the block needs whole
} DspPlanOp;

/// Ops are in topological order.
typedef struct DspPlanGraph {
  size_t ndims;
  const DspPlanDim *dims;
  size_t nvalues;
  const DspPlanValue *values;
  size_t nops;
  const DspPlanOp *ops;
} DspPlanGraph;

/// The known ways to parallelise a transformer, each a restriction of the same
/// search (methods.def).
typedef enum DspPlanMethod {
#define DSP_METHOD(id, name, summary) DSP_METHOD_##id,
#include "dspc/plan/methods.def"
  DSP_METHOD_COUNT
} DspPlanMethod;

/// The name of a method as the command line has it: "megatron-sp".
const char *dsp_plan_method_name(DspPlanMethod method);
/// What the method does, in one sentence.
const char *dsp_plan_method_summary(DspPlanMethod method);
/// Finds a method by its name; false when there is none.
bool dsp_plan_method_find(const char *name, DspPlanMethod *method);

/// What the ops of one block must be cut on, to see what that would cost.
typedef struct DspPlanWhatIf {
  bool set;
  uint32_t stage;
  uint32_t dims[DSP_PLAN_AXES]; ///< for the ops that can be cut on it
} DspPlanWhatIf;

typedef struct DspPlanOptions {
  DspPlanMesh mesh; ///< dsp_plan_mesh(4): four ranks on one axis
  bool allow_tensor;
  DspPlanMethod method;
  DspPlanWhatIf what_if;
  bool few_pairs; ///< two axes: an op cuts one dim along both where it can, so
                  ///< that values are in few layouts; set by dsp_plan_graph
                  ///< itself where they are too many
  const struct DspMachine *machine; ///< least modelled time (machine.h);
                                    ///< NULL: fewest bytes
  const int64_t *prices; ///< [nops] of a byte that the op holds, in
                         ///< 1/DSP_PRICE_ONE of what is to be least (fit.h);
                         ///< NULL: memory is free
  int64_t known_bound;   ///< with prices: no plan that is wanted costs less
  DspSearchLimits limits;
} DspPlanOptions;

/// What an op does on one mesh axis.
typedef struct DspPlanWay {
  uint32_t dim;    ///< what is cut, or DSP_PLAN_NO_DIM: none
  bool contracted; ///< the results are partial sums
  bool ring;       ///< keys and values travel along the axis
} DspPlanWay;

/// How one op runs.
typedef struct DspPlanPick {
  DspPlanWay axes[DSP_PLAN_AXES];
  const DspPlanLayout *operands; ///< [noperands] what it needs
  const DspPlanLayout *results;  ///< [nresults] what it gives
  int64_t bytes; ///< of the ring, leaving all ranks together
  const int64_t *per_rank; ///< [ranks] of the ring, or NULL
  const int64_t *far;      ///< [ranks] of that, to another coordinate on axis 0
} DspPlanPick;

/// One change of layout, to run before op `before`.
typedef struct DspPlanStep {
  uint32_t value;
  uint32_t before;
  DspCollective collective;
  DspPlanLayout from; ///< the value exists in this layout by then
  DspPlanLayout to;
  int64_t bytes;           ///< leaving all ranks together
  const int64_t *per_rank; ///< [ranks]
  const int64_t *far; ///< [ranks] of that, to another coordinate on axis 0
} DspPlanStep;

typedef struct DspPlan {
  DspPlanPick *picks; ///< [nops]
  size_t nsteps;
  DspPlanStep *steps; ///< in the order in which they run
  uint32_t residual;  ///< the dim that a method keeps, or DSP_PLAN_NO_DIM
  int64_t bytes;      ///< leaving all ranks together
  int64_t collectives;
  DspCertificate certificate; ///< with prices: without what they charge, and
                              ///< the bound is `known_bound`
  int64_t priced_bound;       ///< no plan costs less, what is charged included
} DspPlan;

typedef enum DspPlanStatus {
  DSP_PLAN_OK,
  DSP_PLAN_BAD_PIN, ///< the op cannot be cut on the dim of its pin
  DSP_PLAN_NONE,    ///< the pins contradict each other
  DSP_PLAN_UNFIT,   ///< the method cannot run the op
  DSP_PLAN_WIDE,    ///< what the op makes may be in more layouts than are
                    ///< looked at (DSP_PLAN_MAX_LAYOUTS)
} DspPlanStatus;

/// Plans a graph.  Everything in `*plan` lives in `arena`.  On
/// DSP_PLAN_BAD_PIN, DSP_PLAN_UNFIT and DSP_PLAN_WIDE `*culprit` (may be NULL)
/// receives the op.  A method that keeps the residual stream on one sequence dim gets the
/// best one: least repeated work, then the cheapest.
DspPlanStatus dsp_plan_graph(DspArena *arena, const DspPlanGraph *graph,
                             const DspPlanOptions *options, DspPlan *plan,
                             size_t *culprit);

/// True when the two layouts are the same.
bool dsp_plan_layout_equal(DspPlanLayout a, DspPlanLayout b);

/// True when keys and values travel along some axis.
bool dsp_plan_is_ring(const DspPlanPick *pick);

/// The share of an op's loops that falls to the rank with the largest part.
double dsp_plan_share(const DspPlanGraph *graph, const DspPlanMesh *mesh,
                      const DspPlanWay axes[DSP_PLAN_AXES]);

#endif
