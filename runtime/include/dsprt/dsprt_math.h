// dsprt_math.h - scalar functions for the elementwise loops of programs.
//
// Written so that a compiler vectorises loops over them: no branches, and with
// -ffast-math the C library's vector versions of expf, tanhf and erff.
#ifndef DSPRT_MATH_H
#define DSPRT_MATH_H

#include <math.h>
#include <string.h>

#include "dsprt_types.h"

DSPRT_INLINE uint32_t dsprt_bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

DSPRT_INLINE float dsprt_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

DSPRT_INLINE float dsprt_from_bf16(DsprtBf16 x) {
  return dsprt_of_bits((uint32_t)x << 16);
}

/// Rounds to the nearest, ties to even; a NaN stays a (quiet) NaN.
DSPRT_INLINE DsprtBf16 dsprt_to_bf16(float x) {
  uint32_t bits = dsprt_bits_of(x);
  uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  uint32_t nan = bits | 0x00400000u;
  return (DsprtBf16)(((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded) >>
                     16);
}

DSPRT_INLINE float dsprt_f16_value(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
  uint32_t exponent = (h >> 10) & 31u, fraction = h & 0x3ffu;
  if (exponent == 31) return dsprt_of_bits(sign | 0x7f800000u | fraction << 13);
  if (exponent != 0)
    return dsprt_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
  float small = (float)fraction * 0x1p-24f;
  return sign ? -small : small;
}

/// Rounds to the nearest, ties to even; too large becomes infinite.
DSPRT_INLINE uint16_t dsprt_f16_bits(float x) {
  uint32_t bits = dsprt_bits_of(x), sign = (bits >> 16) & 0x8000u;
  uint32_t size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
  if (size >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u);
  if (size < 0x38800000u) { // below 2^-14: multiples of 2^-24
    float shifted = dsprt_of_bits(size) + 0.5f;
    return (uint16_t)(sign | (dsprt_bits_of(shifted) - 0x3f000000u));
  }
  uint32_t rounded = size + 0xfffu + ((size >> 13) & 1u);
  return (uint16_t)(sign | (rounded - 0x38000000u) >> 13);
}

#ifdef __CUDACC__
DSPRT_INLINE float dsprt_from_f16(DsprtF16 h) {
#ifdef __CUDA_ARCH__
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(h.bits));
  return x;
#else
  return dsprt_f16_value(h.bits);
#endif
}

DSPRT_INLINE DsprtF16 dsprt_to_f16(float x) {
  DsprtF16 h;
#ifdef __CUDA_ARCH__
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h.bits) : "f"(x));
#else
  h.bits = dsprt_f16_bits(x);
#endif
  return h;
}
#else
DSPRT_INLINE float dsprt_from_f16(DsprtF16 h) {
  return dsprt_f16_value(h);
}

DSPRT_INLINE DsprtF16 dsprt_to_f16(float x) {
  return dsprt_f16_bits(x);
}
#endif

/// The same for a 16-bit type that is known at run time.
DSPRT_INLINE float dsprt_from_half(DsprtType type, uint16_t bits) {
  return type == DSPRT_F16 ? dsprt_f16_value(bits) : dsprt_from_bf16(bits);
}

DSPRT_INLINE uint16_t dsprt_to_half(DsprtType type, float x) {
  return type == DSPRT_F16 ? dsprt_f16_bits(x) : dsprt_to_bf16(x);
}

DSPRT_INLINE float dsprt_sigmoid(float x) {
  return 1.0f / (1.0f + expf(-x));
}

DSPRT_INLINE float dsprt_silu(float x) {
  return x * dsprt_sigmoid(x);
}

DSPRT_INLINE float dsprt_relu(float x) {
  return x > 0.0f ? x : 0.0f;
}

/// GELU by the error function.
DSPRT_INLINE float dsprt_gelu(float x) {
  return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
}

/// The tanh form of GELU.
DSPRT_INLINE float dsprt_gelu_tanh(float x) {
  float inner = 0.79788456080286536f * (x + 0.044715f * x * x * x);
  return x * dsprt_sigmoid(2.0f * inner);
}

/// The sigmoid form of GELU.
DSPRT_INLINE float dsprt_gelu_sigmoid(float x) {
  return x * dsprt_sigmoid(1.702f * x);
}

DSPRT_INLINE float dsprt_min(float a, float b) {
  return a < b ? a : b;
}

DSPRT_INLINE float dsprt_max(float a, float b) {
  return a > b ? a : b;
}

/// x for positive x, else slope * x.
DSPRT_INLINE float dsprt_leaky_relu(float x, float slope) {
  return x > 0.0f ? x : slope * x;
}

/// x for positive x, else alpha * (exp(x) - 1).
DSPRT_INLINE float dsprt_elu(float x, float alpha) {
  return x > 0.0f ? x : alpha * expm1f(x);
}

/// log(1 + exp(x)), without overflow.
DSPRT_INLINE float dsprt_softplus(float x) {
  return dsprt_max(x, 0.0f) + log1pf(expf(-fabsf(x)));
}

DSPRT_INLINE float dsprt_mish(float x) {
  return x * tanhf(dsprt_softplus(x));
}

DSPRT_INLINE float dsprt_hardsigmoid(float x) {
  return dsprt_min(dsprt_max(x + 3.0f, 0.0f), 6.0f) * (1.0f / 6.0f);
}

DSPRT_INLINE float dsprt_hardswish(float x) {
  return x * dsprt_hardsigmoid(x);
}

DSPRT_INLINE float dsprt_pow(float x, float y) {
  return powf(x, y);
}

/// What is left of a after whole multiples of b; of the sign of b.
DSPRT_INLINE float dsprt_mod(float a, float b) {
  float rest = fmodf(a, b);
  return rest != 0.0f && (rest < 0.0f) != (b < 0.0f) ? rest + b : rest;
}

DSPRT_INLINE float dsprt_abs(float x) {
  return fabsf(x);
}

DSPRT_INLINE float dsprt_log(float x) {
  return logf(x);
}

DSPRT_INLINE float dsprt_erf(float x) {
  return erff(x);
}

DSPRT_INLINE float dsprt_floor(float x) {
  return floorf(x);
}

DSPRT_INLINE float dsprt_rsqrt(float x) {
  return 1.0f / sqrtf(x);
}

DSPRT_INLINE float dsprt_tanh(float x) {
  return tanhf(x);
}

DSPRT_INLINE float dsprt_exp(float x) {
  return expf(x);
}

DSPRT_INLINE float dsprt_sin(float x) {
  return sinf(x);
}

DSPRT_INLINE float dsprt_cos(float x) {
  return cosf(x);
}

DSPRT_INLINE float dsprt_sqrt(float x) {
  return sqrtf(x);
}

#endif
