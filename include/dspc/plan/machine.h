// machine.h - a device and its network, as far as a plan's time depends on
// them: what the time model of the planner reads.
//
// The model is a roofline: an op takes the longer of its arithmetic and its
// memory traffic on the rank with the largest part, a collective takes what
// was measured or published for its size, and nothing overlaps.
#ifndef DSPC_PLAN_MACHINE_H
#define DSPC_PLAN_MACHINE_H

#include "dspc/plan/rules.h"

enum { DSP_MACHINE_POINTS = 16 };

/// A measured time; between two points it is interpolated linearly.
typedef struct DspTimePoint {
  double at;      ///< bytes leaving a rank, or nodes
  double seconds;
} DspTimePoint;

/// How long it takes to move bytes; at least one point, ascending.  Behind the
/// last one the bandwidth of the last one holds.
typedef struct DspLink {
  size_t count;
  DspTimePoint points[DSP_MACHINE_POINTS];
} DspLink;

typedef struct DspMachine {
  char name[96];
  double flops_f32, flops_16bit; ///< per second that large products reach
  double memory_bandwidth;       ///< bytes a second
  int64_t memory;                ///< bytes of one rank
  int64_t ranks_per_node;
  DspLink inside;  ///< ranks of one node
  DspLink between; ///< bytes that leave the node; empty: there is one node
  DspLink start;   ///< nodes to seconds: start-up of a collective over nodes
} DspMachine;

/// Seconds of a collective on one axis in which `most` bytes leave the busiest
/// rank.
double dsp_machine_collective(const DspMachine *machine, int64_t ranks,
                              int64_t most);

/// Seconds of a collective in which `per_rank` [ranks] bytes leave each rank,
/// `far` of them to other coordinates on axis 0.  Where axis 0 lies between
/// nodes, what stays inside a node and what leaves it go at the same time.
double dsp_machine_move(const DspMachine *machine, const DspPlanMesh *mesh,
                        const int64_t *per_rank, const int64_t *far);

/// Seconds of an op when `share` of it falls to the busiest rank; 1: every
/// rank does all of it.  Nothing for inputs, views and outputs.
double dsp_machine_op(const DspMachine *machine, const DspPlanGraph *graph,
                      const DspPlanOp *op, double share);

/// Floating point operations of an op: two for each point of its loops, four
/// for attention, none for what only moves elements.
double dsp_plan_flops(const DspPlanGraph *graph, const DspPlanOp *op);

/// What a plan takes, op by op and step by step.
typedef struct DspPlanTime {
  double compute, communication; ///< seconds
  const double *ops;   ///< [nops] compute
  const double *steps; ///< [nsteps]
  const double *rings; ///< [nops] the communication of rings
} DspPlanTime;

DspPlanTime dsp_plan_time(DspArena *arena, const DspPlanGraph *graph,
                          const DspPlan *plan, const DspPlanMesh *mesh,
                          const DspMachine *machine);

#endif
