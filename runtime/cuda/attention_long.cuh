// attention_long.cuh - attention over many keys on Hopper.
//
// After FlashAttention-3 (Shah et al., arXiv:2407.08608).  A block takes 64
// queries for each of GROUPS warpgroups; one more warpgroup lets the copy
// engine fetch tiles of keys into STAGES places of shared memory.  A warpgroup
// issues the next scores, then the product of the last weights with v, and
// computes the softmax of the scores while the latter runs; the warpgroups take
// turns at issuing, so that one computes while the other multiplies.
//
// Channels of a head are not padded to a power of two: scores add up 16 at a
// time (72 is 80, the copy engine fills in zeros), o is D wide.
//
// Needs:  bf16, rows of D contiguous channels, sm_90a.
// Leaves: o.  Scores, softmax and sums in f32; probabilities rounded to bf16
//         for the second product.
#ifndef DSPRT_CUDA_ATTENTION_LONG_CUH
#define DSPRT_CUDA_ATTENTION_LONG_CUH

#include "attention_tile.cuh"
#include "wgmma.cuh"

/// Where the copy engine finds element w of a tensor that has only some of the
/// batch dims.
static __device__ inline void find_box(const Long &p, const Work &w, int tensor,
                                       int (&at)[3]) {
#pragma unroll
  for (int i = 0; i < 3; i++) // the map's dims go from the fastest on
    at[i] = p.moves[2 - i] >> tensor & 1 ? (int)w.batch[2 - i] : 0;
}

/// Rows of q or k, channels padded to a multiple of 16.
template <class T, int ROWS>
static __device__ inline void
fetch_rows(uint32_t to, uint32_t barrier, const CUtensorMap *map,
           const CUtensorMap *rest, int row, const int (&batch)[3]) {
  barrier_expect(barrier, ROWS * T::DOT * 2);
#pragma unroll
  for (int i = 0; i < T::MAINS; i++)
    copy_box(to + i * ROWS * T::QK_WIDTH * 2, map, barrier, i * T::QK_WIDTH,
             row, batch);
  if constexpr (T::REST != 0)
    copy_box(to + T::MAINS * ROWS * T::QK_WIDTH * 2, rest, barrier,
             T::MAINS * T::QK_WIDTH, row, batch);
}

template <class T>
static __device__ inline void fetch_values(uint32_t to, uint32_t barrier,
                                           const CUtensorMap *map, int row,
                                           const int (&batch)[3]) {
  barrier_expect(barrier, T::V_BYTES);
#pragma unroll
  for (int i = 0; i < T::V_BOXES; i++)
    copy_box(to + i * T::KEYS * T::V_WIDTH * 2, map, barrier, i * T::V_WIDTH,
             row, batch);
}

/// The thread that feeds the others.  Tiles of keys go from the last one, which
/// may be short, to the first.
template <class T>
static __device__ void produce(const Long &p, const Room<T> &room) {
  Place<T::STAGES> place;
  uint32_t q_parity = 0;
  place.parity = 1; // all is empty
  for (uint32_t at = blockIdx.x; at < p.works; at += gridDim.x) {
    Work w = find_work<T>(p, at);
    int q_at[3], k_at[3], v_at[3];
    find_box(p, w, 0, q_at);
    find_box(p, w, 1, k_at);
    find_box(p, w, 2, v_at);
    barrier_wait(room.q_empty(), q_parity ^ 1);
    q_parity ^= 1;
    fetch_rows<T, T::QUERIES>(room.q(), room.q_full(), &p.q, &p.q_rest, w.first,
                              q_at);
    for (int tile = w.high - 1; tile >= w.low; tile--) {
      int s = place.stage;
      barrier_wait(room.k_empty(s), place.parity);
      fetch_rows<T, T::KEYS>(room.k(s), room.k_full(s), &p.k, &p.k_rest,
                             tile * T::KEYS, k_at);
      barrier_wait(room.v_empty(s), place.parity);
      fetch_values<T>(room.v(s), room.v_full(s), &p.v, tile * T::KEYS, v_at);
      place.next();
    }
  }
}

/// Rows of q or k in shared memory: 16 channels, from 16 j on.
template <class T, int ROWS> struct Rows {
  static constexpr int MAIN = T::MAINS * T::QK_WIDTH, W = T::QK_WIDTH;
  static constexpr int R = T::REST ? T::REST : 16;
  Matrix main, rest;
  __device__ Rows(uint32_t at, int first)
      : main(describe(at + first * W * 2, 16, 8 * W * 2, W)),
        rest(describe(at + MAIN * ROWS * 2 + first * R * 2, 16, 8 * R * 2, R)) {
  }
  __device__ uint64_t channels(int j) const {
    int c = j * 16;
    if (c < MAIN) return at_bytes(main, c / W * ROWS * W * 2 + c % W * 2);
    return at_bytes(rest, (c - MAIN) * 2);
  }
};

/// Issues score = q k^T.
template <class T>
static __device__ inline void issue_scores(float (&score)[T::KEYS / 8][4],
                                           const Rows<T, T::QUERIES> &q,
                                           uint32_t k_at) {
  const Rows<T, T::KEYS> k(k_at, 0);
  products_begin();
#pragma unroll
  for (int j = 0; j < T::DOT / 16; j++)
    product(score, q.channels(j), k.channels(j), j > 0);
  products_commit();
}

/// Issues out += weight v.
template <class T>
static __device__ inline void issue_values(float (&out)[T::D / 8][4],
                                           uint32_t (&weight)[T::KEYS / 16][4],
                                           uint32_t v_at) {
  constexpr int W = T::V_WIDTH, BOX = T::KEYS * W * 2;
  const Matrix v =
      W == 8 ? describe(v_at, 128, BOX, W) : describe(v_at, BOX, 8 * W * 2, W);
  products_begin();
#pragma unroll
  for (int j = 0; j < T::KEYS / 16; j++)
    product_add(out, weight[j], at_bytes(v, j * 16 * W * 2));
  products_commit();
}

static __device__ inline float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// 2^(score * scale - top) in f32 arithmetic, for the unit of exponentials
/// does 16 a clock: a polynomial for the fraction (to 1e-4, an eighth of what
/// rounding to bf16 costs), the integer added to the exponent.
static __device__ inline float exp2_poly(float score, float scale, float top) {
  const float magic = 12582912.0f; // 1.5 * 2^23
  float x = fmaxf(fmaf(score, scale, -top), -126.0f);
  float t = x + magic;
  float f = x - (t - magic); // -0.5 .. 0.5
  float y = fmaf(f, 0.055171669f, 0.24261112f);
  y = fmaf(f, y, 0.69326099f);
  y = fmaf(f, y, 0.99992807f);
  return __int_as_float(__float_as_int(y) + (__float_as_int(t) << 23));
}

/// The largest score of the thread's own columns in each of its rows.
template <int N>
static __device__ inline void find_tops(const float (&score)[N][4],
                                        float (&now)[2]) {
#pragma unroll
  for (int r = 0; r < 2; r++) {
    now[r] = fmaxf(score[0][2 * r], score[0][2 * r + 1]);
#pragma unroll
    for (int n = 1; n < N; n++)
      now[r] = fmaxf(now[r], fmaxf(score[n][2 * r], score[n][2 * r + 1]));
  }
}

/// What may be subtracted: a row of which all keys are hidden has no top yet.
static __device__ inline float finite(float top) {
  return top == -INFINITY ? 0 : top;
}

/// Raises `top` to the largest score of the rows; `keep` is by what earlier
/// sums and products shrink.
static __device__ inline void raise_tops(float (&top)[2], float (&keep)[2],
                                         const float (&now)[2], float scale) {
#pragma unroll
  for (int r = 0; r < 2; r++) {
    float most = fmaxf(now[r], __shfl_xor_sync(0xffffffffu, now[r], 1));
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
    most = fmaxf(most * scale, top[r]);
    keep[r] = exp2_fast(top[r] - finite(most));
    top[r] = most;
  }
}

/// Leaves 2^(score - top), the sums of its rows in `sum` (each thread its
/// part), and in `keep` by what earlier sums and products shrink.  Returns
/// false when that is 1 for the whole warp.
template <class T>
static __device__ inline bool softmax(float (&score)[T::KEYS / 8][4],
                                      float (&top)[2], float (&sum)[2],
                                      float (&keep)[2], float scale) {
  constexpr int N = T::KEYS / 8;
  float now[2];
  bool rises = true;
  find_tops(score, now);
  if (T::LAZY)
    rises = __any_sync(0xffffffffu, now[0] * scale > top[0] + T::LAZY ||
                                        now[1] * scale > top[1] + T::LAZY);
  if (rises) {
    raise_tops(top, keep, now, scale);
    sum[0] *= keep[0], sum[1] *= keep[1];
  }
  const float base[2] = {T::KIND == PLAIN ? top[0] : finite(top[0]),
                         T::KIND == PLAIN ? top[1] : finite(top[1])};
#pragma unroll
  for (int n = 0; n < N; n++)
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (T::POLY && (n + i) % T::POLY == 0)
        score[n][i] = exp2_poly(score[n][i], scale, base[i / 2]);
      else
        score[n][i] = exp2_fast(fmaf(score[n][i], scale, -base[i / 2]));
    }
#pragma unroll
  for (int r = 0; r < 2; r++) {
    float part[2] = {score[0][2 * r], score[0][2 * r + 1]};
#pragma unroll
    for (int n = 1; n < N; n++) {
      part[0] += score[n][2 * r];
      part[1] += score[n][2 * r + 1];
    }
    sum[r] += part[0] + part[1];
  }
  return rises;
}

/// Scores as they lie after a product are operands of the next one.
template <int N>
static __device__ inline void round_weights(uint32_t (&weight)[N / 2][4],
                                            const float (&score)[N][4]) {
#pragma unroll
  for (int n = 0; n < N; n++) {
    weight[n / 2][n % 2 * 2] = pack_bf16(score[n][0], score[n][1]);
    weight[n / 2][n % 2 * 2 + 1] = pack_bf16(score[n][2], score[n][3]);
  }
}

/// Keys from `end` on, and in front of `begin`, of a tile that begins with
/// `first`; by row.
template <int N>
static __device__ inline void hide_keys(float (&score)[N][4], int first,
                                        const int (&begin)[2],
                                        const int (&end)[2]) {
  int two = first + threadIdx.x % 4 * 2;
#pragma unroll
  for (int n = 0; n < N; n++)
#pragma unroll
    for (int i = 0; i < 4; i++) {
      int key = two + n * 8 + i % 2;
      if (key < begin[i / 2] || key >= end[i / 2]) score[n][i] = -INFINITY;
    }
}

/// What a thread knows of its two rows of scores.
struct Seen {
  int begin[2], end[2];
  int from, to; ///< all rows of the warpgroup see these keys
  const DsprtBf16 *bias[2];
};

/// `row`: the first of the thread's, `first`: of its warpgroup.
template <class T>
static __device__ inline Seen find_seen(const Long &p, const Work &w, int first,
                                        int row) {
  Seen seen = {{0, 0}, {p.keys, p.keys}, 0, p.keys, {}};
  if constexpr (T::KIND != PLAIN) {
    int unused;
    find_keys(p, row, &seen.begin[0], &seen.end[0]);
    find_keys(p, row + 8, &seen.begin[1], &seen.end[1]);
    find_keys(p, first, &unused, &seen.to);
    find_keys(p, first + 63, &seen.from, &unused);
  }
  if constexpr (T::KIND == BIASED) {
    const DsprtBf16 *bias = p.bias;
#pragma unroll
    for (int i = 0; i < 3; i++) bias += w.batch[i] * p.bias_step[i];
    seen.bias[0] = bias + min(row, p.queries - 1) * p.bias_row;
    seen.bias[1] = bias + min(row + 8, p.queries - 1) * p.bias_row;
  }
  return seen;
}

/// A pair of neighbours for each pair of scores, the first in the low half.
template <int N>
static __device__ inline void load_bias(const Long &p, const Seen &seen,
                                        int first, uint32_t (&bias)[N][2]) {
  int two = first + threadIdx.x % 4 * 2, last = p.keys - 1;
#pragma unroll
  for (int n = 0; n < N; n++)
#pragma unroll
    for (int r = 0; r < 2; r++) {
      int key = two + n * 8;
      uint32_t low = seen.bias[r][min(key, last) * p.bias_key];
      uint32_t high = seen.bias[r][min(key + 1, last) * p.bias_key];
      bias[n][r] = low | high << 16;
    }
}

/// score * scale + bias, as exponents of 2.
template <int N>
static __device__ inline void
add_bias(float (&score)[N][4], const uint32_t (&bias)[N][2], float scale) {
  const float log2e = 1.4426950408889634f;
#pragma unroll
  for (int n = 0; n < N; n++)
#pragma unroll
    for (int i = 0; i < 4; i++) {
      uint32_t two = bias[n][i / 2];
      float one = __uint_as_float(i % 2 ? two & 0xffff0000u : two << 16);
      score[n][i] = fmaf(score[n][i], scale, one * log2e);
    }
}

template <int N>
static __device__ inline void shrink(float (&out)[N][4],
                                     const float (&keep)[2]) {
#pragma unroll
  for (int n = 0; n < N; n++)
#pragma unroll
    for (int i = 0; i < 4; i++) out[n][i] *= keep[i / 2];
}

// Turns: group g waits for its numbered barrier, which all others pass to it.

template <class T> static __device__ inline void wait_turn(int group) {
  if (T::TURNS) group_sync(1 + group, T::GROUPS * WARPGROUP);
}

template <class T> static __device__ inline void pass_turn(int group) {
  if (!T::TURNS) return;
#pragma unroll
  for (int i = 1; i < T::GROUPS; i++) {
    int other = group + i < T::GROUPS ? group + i : group + i - T::GROUPS;
    group_arrive(1 + other, T::GROUPS * WARPGROUP);
  }
}

/// Group 0 begins, the others follow in order.
template <class T> static __device__ inline void first_turn(int group) {
  if (!T::TURNS) return;
#pragma unroll
  for (int other = 0; other < T::GROUPS; other++)
    if (other < group) group_arrive(1 + other, T::GROUPS * WARPGROUP);
}

/// Rows lane / 4 and 8 further of this warp.
template <class T>
static __device__ inline void
store(const Long &p, const Work &w, int row, const float (&out)[T::D / 8][4],
      const float (&top)[2], const float (&sum)[2]) {
  DsprtBf16 *o = p.o + threadIdx.x % 4 * 2;
#pragma unroll
  for (int i = 0; i < 3; i++) o += w.batch[i] * p.o_step[i];
#pragma unroll
  for (int r = 0; r < 2; r++) {
    float all = sum[r] + __shfl_xor_sync(0xffffffffu, sum[r], 1);
    all += __shfl_xor_sync(0xffffffffu, all, 2);
    float part = 1 / all;
    bool none = T::KIND != PLAIN && top[r] == -INFINITY; // no key at all
    if (row + r * 8 >= p.queries) continue;
    DsprtBf16 *to = o + (row + r * 8) * p.o_row;
#pragma unroll
    for (int n = 0; n < T::D / 8; n++)
      *reinterpret_cast<uint32_t *>(to + n * 8) =
          none ? 0u : pack_bf16(out[n][2 * r] * part, out[n][2 * r + 1] * part);
  }
}

/// Adds the bias, hides what is not seen.  Few tiles hide anything.
template <class T>
static __device__ inline void
adapt_scores(const Long &p, const Seen &seen, int tile,
             const uint32_t (&bias)[T::KEYS / 8][2],
             float (&score)[T::KEYS / 8][4]) {
  int first = tile * T::KEYS;
  if constexpr (T::KIND == BIASED) add_bias(score, bias, p.scale);
  if (first < seen.from || first + T::KEYS > seen.to)
    hide_keys(score, first, seen.begin, seen.end);
}

/// A warpgroup that multiplies.
template <class T>
static __device__ inline void consume(const Long &p, const Room<T> &room,
                                      int group) {
  bool speaks = threadIdx.x % 32 == 0; // for its warp
  const Rows<T, T::QUERIES> q(room.q(), group * 64);
  const float scale = T::KIND == BIASED ? 1 : p.scale;
  Place<T::STAGES> k, v;
  uint32_t q_parity = 0;
  first_turn<T>(group);
  for (uint32_t at = blockIdx.x; at < p.works; at += gridDim.x) {
    float score[T::KEYS / 8][4], out[T::D / 8][4] = {};
    uint32_t weight[T::KEYS / 16][4], bias[T::KEYS / 8][2];
    float top[2] = {-INFINITY, -INFINITY}, sum[2] = {0, 0}, keep[2];
    const Work w = find_work<T>(p, at);
    int first = w.first + group * 64;
    int row = first + threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
    const Seen seen = find_seen<T>(p, w, first, row);
    int tile = w.high - 1;
    barrier_wait(room.q_full(), q_parity);
    q_parity ^= 1;
    barrier_wait(room.k_full(k.stage), k.parity);
    issue_scores<T>(score, q, room.k(k.stage));
    if constexpr (T::KIND == BIASED) load_bias(p, seen, tile * T::KEYS, bias);
    products_wait<0>();
    hold(score);
    if (speaks) barrier_arrive(room.k_empty(k.stage));
    k.next();
    adapt_scores<T>(p, seen, tile, bias, score);
    softmax<T>(score, top, sum, keep, scale);
    round_weights(weight, score);
    while (tile-- > w.low) {
      barrier_wait(room.k_full(k.stage), k.parity);
      wait_turn<T>(group);
      issue_scores<T>(score, q, room.k(k.stage));
      barrier_wait(room.v_full(v.stage), v.parity);
      issue_values<T>(out, weight, room.v(v.stage));
      pass_turn<T>(group);
      if constexpr (T::KIND == BIASED) load_bias(p, seen, tile * T::KEYS, bias);
      products_wait<1>();
      hold(score);
      if (!T::LATE && speaks) barrier_arrive(room.k_empty(k.stage));
      if constexpr (T::KIND != PLAIN)
        adapt_scores<T>(p, seen, tile, bias, score);
      bool rises = softmax<T>(score, top, sum, keep, scale);
      hold(score); // all of it before waiting
      if (T::LATE && speaks && !(fminf(sum[0], sum[1]) < 0))
        barrier_arrive(room.k_empty(k.stage));
      k.next();
      products_wait<0>();
      hold(out);
      hold(weight);
      if (speaks) barrier_arrive(room.v_empty(v.stage));
      v.next();
      round_weights(weight, score);
      if (rises) shrink(out, keep);
    }
    if (speaks) barrier_arrive(room.q_empty());
    barrier_wait(room.v_full(v.stage), v.parity);
    issue_values<T>(out, weight, room.v(v.stage));
    products_wait<0>();
    hold(out);
    if (speaks) barrier_arrive(room.v_empty(v.stage));
    v.next();
    store<T>(p, w, row, out, top, sum);
  }
}

template <class T>
static __global__ void __launch_bounds__(T::THREADS, 1)
    long_kernel(const __grid_constant__ Long p) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  extern __shared__ unsigned char memory[];
  Room<T> room = {(shared_address(memory) + SWIZZLE_BYTES - 1) / SWIZZLE_BYTES *
                  SWIZZLE_BYTES};
  if (threadIdx.x == 0) {
    int warps = T::GROUPS * 4;
    barrier_init(room.q_full(), 1);
    barrier_init(room.q_empty(), warps);
    for (int s = 0; s < T::STAGES; s++) {
      barrier_init(room.k_full(s), 1);
      barrier_init(room.v_full(s), 1);
      barrier_init(room.k_empty(s), warps);
      barrier_init(room.v_empty(s), warps);
    }
    barriers_publish();
  }
  __syncthreads();
  int group = __shfl_sync(0xffffffffu, threadIdx.x / WARPGROUP, 0);
  if (group == T::GROUPS) {
    give_registers<T::GIVE>();
    if (threadIdx.x == T::GROUPS * WARPGROUP) produce<T>(p, room);
  } else {
    take_registers<T::TAKE>();
    consume<T>(p, room, group);
  }
#endif
}

#endif
