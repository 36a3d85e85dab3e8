// dsprt_fused.h - linears with what follows them, for GPUs.
#ifndef DSPRT_FUSED_H
#define DSPRT_FUSED_H

#include "dsprt_compute.h"

/// y = activation(x w^T + bias) or x w^T + bias + residual
typedef struct DsprtFusedLinear {
  DsprtLinear linear;
  DsprtType type;
  int gelu_tanh; ///< 1: the tanh form of GELU
} DsprtFusedLinear;

/// As dsprt_linear_*; `residual` [rows, out], rows ldy apart, may be y or NULL
/// and does not go with gelu_tanh.
void dsprt_fused_linear(DsprtRun *run, const DsprtFusedLinear *fused,
                        const void *x, const void *w, const void *bias,
                        const void *residual, void *y);

#endif
