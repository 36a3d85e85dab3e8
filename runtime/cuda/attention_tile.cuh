// attention_tile.cuh - sizes, shared memory and order of work of the kernel in
// attention_long.cuh.
//
// Needs:  a call as Long describes it.
// Leaves: nothing; the types that the warpgroups share.
#ifndef DSPRT_CUDA_ATTENTION_TILE_CUH
#define DSPRT_CUDA_ATTENTION_TILE_CUH

#include "dsprt_types.h"
#include "hopper.cuh"

/// What a launch needs to know.
struct Long {
  CUtensorMap q, k, v;        ///< [batch 0, 1, 2, row, channel]
  CUtensorMap q_rest, k_rest; ///< the same in narrower boxes
  int moves[3];               ///< bit 0, 1, 2: q, k, v have batch dim i
  uint32_t batch[3];          ///< sizes
  int64_t o_step[3], o_row;
  DsprtBf16 *o;
  int queries, keys;
  int key_tiles, query_tiles;
  uint32_t works;            ///< query tiles of all batch elements
  float scale;               ///< times log2(e)
  int causal, window, begin; ///< as DsprtAttention's mask
  const DsprtBf16 *bias;
  int64_t bias_step[3], bias_row, bias_key;
};

/// What is done to scores in front of the softmax.
enum { PLAIN, MASKED, BIASED }; // BIASED may be masked, too

enum { SWIZZLE_BYTES = 1024 }; ///< what is swizzled begins at a multiple

constexpr int round_up(int bytes) {
  return (bytes + SWIZZLE_BYTES - 1) / SWIZZLE_BYTES * SWIZZLE_BYTES;
}

/// The sizes of a kernel.  D: channels of a head; GROUPS of 64 queries; KEYS of
/// a tile; QK_WIDTH, V_WIDTH: channels in one box of the copy engine. TURNS:
/// the groups take turns; POLY: every POLYth exponential by polynomial, 0:
/// none; LATE: k is released behind the softmax, which keeps ptxas from waiting
/// for the second product in front of it; LAZY: the top of a row is raised only
/// when a score is larger by 2^LAZY, 0: always.
template <int D_, int GROUPS_, int KEYS_, int STAGES_, int QK_WIDTH_,
          int V_WIDTH_, int TURNS_ = 1, int POLY_ = 0, int LATE_ = 1,
          int LAZY_ = 0, int KIND_ = PLAIN>
struct Tile {
  static constexpr int D = D_, GROUPS = GROUPS_, KEYS = KEYS_;
  static constexpr int STAGES = STAGES_, QK_WIDTH = QK_WIDTH_;
  static constexpr int V_WIDTH = V_WIDTH_, TURNS = TURNS_, POLY = POLY_;
  static constexpr int LATE = LATE_, LAZY = LAZY_, KIND = KIND_;
  static constexpr int QUERIES = 64 * GROUPS;
  static constexpr int DOT = (D + 15) / 16 * 16;
  static constexpr int MAINS = DOT / QK_WIDTH, REST = DOT % QK_WIDTH;
  static constexpr int V_BOXES = (D + V_WIDTH - 1) / V_WIDTH;
  static constexpr int Q_BYTES = QUERIES * DOT * 2;
  static constexpr int K_BYTES = KEYS * DOT * 2;
  static constexpr int V_BYTES = KEYS * V_BOXES * V_WIDTH * 2;
  static constexpr int K_STEP = round_up(K_BYTES), V_STEP = round_up(V_BYTES);
  static constexpr int K_AT = round_up(Q_BYTES);
  static constexpr int V_AT = K_AT + STAGES * K_STEP;
  static constexpr int BARRIERS_AT = V_AT + STAGES * V_STEP;
  static constexpr int BARRIERS = 2 + 4 * STAGES;
  static constexpr int BYTES = BARRIERS_AT + BARRIERS * 8 + SWIZZLE_BYTES;
  static constexpr int THREADS = (GROUPS + 1) * WARPGROUP;
  static constexpr int GIVE = GROUPS == 3 ? 32 : 24;
  static constexpr int TAKE = GROUPS == 3 ? 160 : 240;
};

/// Addresses in shared memory.
template <class T> struct Room {
  uint32_t base;
  __device__ uint32_t q() const { return base; }
  __device__ uint32_t k(int stage) const {
    return base + T::K_AT + stage * T::K_STEP;
  }
  __device__ uint32_t v(int stage) const {
    return base + T::V_AT + stage * T::V_STEP;
  }
  __device__ uint32_t barrier(int i) const {
    return base + T::BARRIERS_AT + i * 8;
  }
  __device__ uint32_t q_full() const { return barrier(0); }
  __device__ uint32_t q_empty() const { return barrier(1); }
  __device__ uint32_t k_full(int s) const { return barrier(2 + s); }
  __device__ uint32_t k_empty(int s) const {
    return barrier(2 + T::STAGES + s);
  }
  __device__ uint32_t v_full(int s) const {
    return barrier(2 + 2 * T::STAGES + s);
  }
  __device__ uint32_t v_empty(int s) const {
    return barrier(2 + 3 * T::STAGES + s);
  }
};

/// A place of the ring of stages, and the parity of its barriers.
template <int STAGES> struct Place {
  int stage = 0;
  uint32_t parity = 0;
  __device__ void next() {
    if (++stage == STAGES) stage = 0, parity ^= 1;
  }
};

struct Work {
  int first; ///< query
  uint32_t batch[3];
  int low, high; ///< tiles of keys, at least one
};

/// The keys that a query sees, of those that there are.
static __device__ inline void find_keys(const Long &p, int query, int *begin,
                                        int *end) {
  int at = p.begin + query;
  *begin = p.window ? max(at - p.window + 1, 0) : 0;
  *end = p.keys;
  if (p.window) *end = min(at + p.window, p.keys);
  if (p.causal) *end = min(at + 1, p.keys);
}

template <class T>
static __device__ inline Work find_work(const Long &p, uint32_t at) {
  Work w;
  uint32_t rest = at / p.query_tiles;
  w.first = (int)(at - rest * p.query_tiles) * T::QUERIES;
#pragma unroll
  for (int i = 2; i >= 0; i--) {
    uint32_t next = rest / p.batch[i];
    w.batch[i] = rest - next * p.batch[i];
    rest = next;
  }
  w.low = 0;
  w.high = p.key_tiles;
  if constexpr (T::KIND != PLAIN) {
    int begin, end, unused;
    find_keys(p, w.first, &begin, &unused);
    find_keys(p, min(w.first + T::QUERIES, p.queries) - 1, &unused, &end);
    w.high = max((end + T::KEYS - 1) / T::KEYS, 1);
    w.low = min(begin / T::KEYS, w.high - 1);
  }
  return w;
}

#endif
