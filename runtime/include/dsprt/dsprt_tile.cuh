// dsprt_tile.cuh - rows of q and k in shared memory, for emitted attention that
// norms and rotates them between its copy and its products.
//
// A warp has the TILE rows that its queries are, and as many keys.  The sums of
// a row are made by two lanes.  Then the rows are changed where they lie, each
// lane a chunk of 16 bytes or less at a time: few registers, so that many warps
// wait for memory side by side.
//
// Needs:  rows fetched and waited for (dsprt_short.cuh).
// Leaves: the rows, rounded to their type; `sync` of the attention comes next.
#ifndef DSPRT_TILE_CUH
#define DSPRT_TILE_CUH

#include "dsprt_rows.cuh"
#include "dsprt_short.cuh"

/// TILE rows of the attention A, a chunk of WIDTH channels at a time; PARTS is 2
/// where a chunk comes with the one half a row further.  Chunks are dealt to the
/// lanes in the order in which they lie, so that what is read along with them,
/// such as cosines, comes in whole lines.
///
///   norm; while (next()) { if (!there) continue; change x; store }
template <class A, int WIDTH, int PARTS = 1>
struct DsprtTile {
  using E = typename A::Element;
  static constexpr int D = A::CHANNELS, LANES = A::LANES, TILE = A::TILE;
  static constexpr int CHUNKS = PARTS; ///< in hand
  static constexpr int ALL = D / WIDTH, EACH = ALL / PARTS;
  static constexpr int STEPS = (TILE * EACH + LANES - 1) / LANES;
  static constexpr unsigned MASK = 0xffffffffu;
  static_assert(D % (WIDTH * PARTS) == 0 && LANES == 2 * TILE, "whole chunks");

  DsprtFloats<WIDTH> x[PARTS];
  uint32_t row; ///< its place among all rows
  bool there;   ///< a chunk of a row that is one

  /// This warp's part of `rows` rows, the first of which is `lie`.
  __device__ DsprtTile(E *lie, uint32_t rows)
      : first(lie), end(rows), begin(A::thread() / LANES * TILE),
        own(threadIdx.x % LANES / EACH), number(threadIdx.x % LANES % EACH) {}

  /// Of chunk `k` in hand, its first channel.
  __device__ uint32_t channel(uint32_t k) const {
    return number * WIDTH + k * (D / PARTS);
  }
  template <typename T>
  static __device__ DsprtFloats<WIDTH> chunk(const T *at) {
    return DsprtRow<D, WIDTH, 1>::chunk(at);
  }

  /// x / sqrt(mean of x^2 + eps)
  __device__ void rms_norm(float eps) { normalize(eps, false); }
  /// (x - mean) / sqrt(variance + eps); the variance is that of a second pass.
  __device__ void layer_norm(float eps) { normalize(eps, true); }

  /// Takes the next chunk in hand, normed; false behind the last one.
  __device__ bool next() {
    if (step == STEPS) return false;
    if (step++ > 0) { // LANES chunks further
      number += LANES % EACH;
      own += LANES / EACH;
      if (number >= EACH) number -= EACH, own++;
    }
    const float times = __shfl_sync(MASK, factor, own * 2); // of that row
    const float less = centred ? __shfl_sync(MASK, mean, own * 2) : 0;
    row = begin + own;
    there = own < TILE && row < end;
    if (!there) return true;
#pragma unroll
    for (int k = 0; k < PARTS; k++) {
      x[k] = chunk(at(row) + channel(k));
      for (int v = 0; v < WIDTH; v++) x[k].v[v] = (x[k].v[v] - less) * times;
    }
    return true;
  }

  /// Multiplies by a weight, adds a bias: one element a channel.
  template <typename T>
  __device__ void scale(const T *weight) {
#pragma unroll
    for (int k = 0; k < PARTS; k++) {
      const DsprtFloats<WIDTH> w = chunk(weight + channel(k));
      for (int v = 0; v < WIDTH; v++) x[k].v[v] *= w.v[v];
    }
  }
  template <typename T>
  __device__ void shift(const T *bias) {
#pragma unroll
    for (int k = 0; k < PARTS; k++) {
      const DsprtFloats<WIDTH> b = chunk(bias + channel(k));
      for (int v = 0; v < WIDTH; v++) x[k].v[v] += b.v[v];
    }
  }

  /// Rotates channels 2 i and 2 i + 1 by angle i, of whose D / 2 the cosines
  /// and sines are given.
  __device__ void rotate_neighbours(const float *cosines, const float *sines) {
    static_assert(WIDTH % 2 == 0 && PARTS == 1, "a pair belongs to a chunk");
    const DsprtFloats<WIDTH / 2> c =
        dsprt_load<WIDTH / 2>(cosines + channel(0) / 2);
    const DsprtFloats<WIDTH / 2> s =
        dsprt_load<WIDTH / 2>(sines + channel(0) / 2);
    for (int v = 0; v < WIDTH / 2; v++) {
      const float a = x[0].v[2 * v], b = x[0].v[2 * v + 1];
      x[0].v[2 * v] = a * c.v[v] - b * s.v[v];
      x[0].v[2 * v + 1] = b * c.v[v] + a * s.v[v];
    }
  }

  /// Rotates channels i and i + D / 2 by angle i.
  __device__ void rotate_halves(const float *cosines, const float *sines) {
    static_assert(PARTS == 2, "both halves are in hand");
    const DsprtFloats<WIDTH> c = chunk(cosines + channel(0));
    const DsprtFloats<WIDTH> s = chunk(sines + channel(0));
    for (int v = 0; v < WIDTH; v++) {
      const float a = x[0].v[v], b = x[1].v[v];
      x[0].v[v] = a * c.v[v] - b * s.v[v];
      x[1].v[v] = b * c.v[v] + a * s.v[v];
    }
  }

  __device__ void store() const {
#pragma unroll
    for (int k = 0; k < PARTS; k++)
      DsprtRow<D, WIDTH, 1>::put(at(row) + channel(k), x[k]);
  }

private:
  E *first;
  uint32_t end, begin; ///< of all rows, of this warp's
  uint32_t own, number; ///< of the chunk in hand: its row, its place there
  int step = 0;
  float mean = 0, factor = 0; ///< of row `lane / 2`
  bool centred = false;

  __device__ E *at(uint32_t place) const {
    return reinterpret_cast<E *>(reinterpret_cast<unsigned char *>(first) +
                                 place * A::STRIDE);
  }

  /// The sum of (x - mean)^2, or of x, over row `lane / 2`, of which a lane
  /// reads one half and the other the other.
  __device__ float sum(bool squares) const {
    const int lane = threadIdx.x % LANES, half = lane % 2;
    const E *from = at(begin + lane / 2);
    float part = 0;
#pragma unroll
    for (int i = 0; i < (ALL + 1) / 2; i++) {
      if (i == ALL / 2 && half) break; // an odd chunk is the first lane's
      const int place = i == ALL / 2 ? ALL - 1 : half * (ALL / 2) + i;
      const DsprtFloats<WIDTH> in = chunk(from + place * WIDTH);
      for (int v = 0; v < WIDTH; v++) {
        const float d = in.v[v] - mean;
        part += squares ? d * d : in.v[v];
      }
    }
    return part + __shfl_xor_sync(MASK, part, 1);
  }

  __device__ void normalize(float eps, bool centre) {
    centred = centre;
    if (centre) mean = sum(false) / D;
    factor = rsqrtf(sum(true) / D + eps);
    __syncwarp(); // all have read what any may change now
  }
};

#endif
