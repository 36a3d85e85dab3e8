// study.h - a plan beside the plans that were not taken, for people to read.
#ifndef DSPC_PASSES_STUDY_H
#define DSPC_PASSES_STUDY_H

#include <mlir-c/IR.h>

#include "dspc/passes/passes.h"
#include "dspc/plan/machine.h"

/// One stage: a block of the model, once.
typedef struct DspStudyStage {
  int64_t number;
  const char *what;        ///< "layer over S  i=0", "-" outside of blocks
  const char *dims;        ///< of what it gives: "B, T, S, C"
  const char *cut;         ///< what its ops are cut on: "T", "T, H", "-"; on
                           ///< two axes "T/S", "T/S, T/H", "T/-"
  uint32_t main_cut[DSP_PLAN_AXES]; ///< that of most of them; DSP_PLAN_NO_DIM
  const char *collectives; ///< "all-to-all to S", "all-to-all to T/S", "-"
  int64_t moves, bytes;    ///< leaving all ranks together
  double compute, communication; ///< modelled seconds
} DspStudyStage;

/// The best plan of one method.
typedef struct DspStudyMethod {
  DspPlanMethod method;
  bool fits;
  const char *misfit;   ///< why not: "attention at line 19"
  const char *residual; ///< the dim that it keeps, or NULL
  int64_t bytes, collectives;
  int64_t far; ///< of the bytes, to another coordinate on axis 0
  double compute, communication;
  bool exact;
  int64_t floor; ///< bytes of memory that it surely needs
} DspStudyMethod;

/// What another dim for one stage would cost, all others free.
typedef struct DspStudyChoice {
  const char *dim; ///< on two axes "T/S"
  bool chosen; ///< by the plan
  bool fits;
  int64_t bytes, collectives;
  int64_t floor; ///< bytes of memory that this surely needs
  double seconds;
} DspStudyChoice;

typedef struct DspStudy {
  DspPlanMesh mesh;
  int64_t ranks; ///< of the mesh
  size_t nstages;
  DspStudyStage *stages;
  DspStudyMethod plan;      ///< what was asked for
  int64_t bound;            ///< bytes or picoseconds, as the objective has it
  int64_t width;            ///< most states between two ops of the search
  int64_t found;
  size_t nmethods;
  DspStudyMethod *methods;
  size_t nchoices;
  DspStudyChoice *choices;  ///< of stage `why`
  int64_t weight_bytes;     ///< of one rank
  bool limited; ///< memory had prices: `bound` is that of plans that fit
} DspStudy;

/// Studies a module before plan-shards.  `options` says what is wanted;
/// `machine` is for the times; `methods` asks for the plan of each of them, and
/// the stage `why` (-1: none) is looked at dim by dim.  Everything in `*study`
/// lives in `arena`.  False after an MLIR error.
bool dsp_study(DspArena *arena, MlirModule module,
               const DspPassOptions *options, const DspMachine *machine,
               bool methods, int64_t why, DspStudy *study);

#endif
