// passes.h - the passes from `dsp` to `dsp`, by name.
//
// Each pass lives in lib/passes/<name with underscores>.c, whose header
// comment states what it needs and what it leaves.  The order in which dspc
// runs them is the table `dsp_pipeline`.
#ifndef DSPC_PASSES_PASSES_H
#define DSPC_PASSES_PASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mlir-c/IR.h>

#include "dspc/plan/fit.h"

/// Figures that a pass leaves for whoever prints reports.
typedef struct DspPassStats {
  size_t planner_states;  ///< states that the search visited
  size_t planner_width;   ///< most states alive at one op
  double planner_seconds; ///< time inside the planner library
  DspArena *arena;        ///< of what follows; NULL: it is not wanted
  DspPriced plan;         ///< but its `memory`
  int64_t weight_bytes;   ///< of one rank
} DspPassStats;

/// What the passes may be told.  Zero means "not given".
typedef struct DspPassOptions {
  int64_t ranks;         ///< `ranks`: how many parts; 0 reads dsp.ranks
  DspPlanMesh mesh;      ///< `mesh=2x4`: their mesh; no axis: one, of `ranks`
  bool allow_tensor;     ///< `allow-tensor`: weight dims may be cut too
  DspPlanMethod method;  ///< `plan=NAME`: a method of methods.def
  bool by_time;          ///< least modelled time, not fewest bytes
  const struct DspMachine *machine; ///< for that (dspc/plan/machine.h)
  const int64_t *prices; ///< of memory, op by op (dspc/plan/fit.h); or NULL
  int64_t known_bound;   ///< with them: what is proved of plans that fit
  DspPassStats *stats;   ///< may be NULL
} DspPassOptions;

/// One pass.  `run` returns false after it emitted an MLIR error.
typedef struct DspPass {
  const char *name;    ///< as written on the command line: plan-shards
  const char *summary; ///< one line for --help
  bool (*run)(MlirModule module, const DspPassOptions *options);
} DspPass;

/// Returns the pass called `name` (not necessarily zero-terminated), or NULL.
const DspPass *dsp_pass_find(const char *name, size_t length);

/// All passes in the order in which dspc runs them; `*count` receives how many.
const DspPass *dsp_pass_pipeline(size_t *count);

#endif
