// push.cu - boxes stored straight into the memory of other GPUs.
//
// Needs:  arenas mapped into each other (peers.c).
// Leaves: every box copied, in one pass; barriers that stand in the stream, so
//         that a captured graph replays them: what counts them lies in device
//         memory.
#include "peers.h"
#include "words.cuh"

enum { PUSH_THREADS = 512, IN_FLIGHT = 4, BLOCKS = 132 };

/// The boxes of one launch, in words of one size.
struct Boxes {
  int count;
  const void *in[DSPRT_MAX_PEERS];
  void *out[DSPRT_MAX_PEERS];
  Words words[DSPRT_MAX_PEERS];
};

/// Blocks take the boxes in turn, so that all links work at once.
template <typename Word>
static __global__ void __launch_bounds__(PUSH_THREADS)
    push_kernel(const __grid_constant__ Boxes boxes) {
  int box = blockIdx.x % boxes.count;
  const Words &w = boxes.words[box];
  const Word *in = (const Word *)boxes.in[box];
  Word *out = (Word *)boxes.out[box];
  int64_t step = (int64_t)(gridDim.x / boxes.count) * PUSH_THREADS;
  int64_t first =
      (int64_t)(blockIdx.x / boxes.count) * PUSH_THREADS + threadIdx.x;
  for (int64_t at = first; at < w.count; at += IN_FLIGHT * step) {
    Word word[IN_FLIGHT];
    int64_t to[IN_FLIGHT];
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) {
      int64_t from;
      if (at + i * step >= w.count) continue;
      find_word(w, at + i * step, &from, &to[i]);
      word[i] = in[from];
    }
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++)
      if (at + i * step < w.count) out[to[i]] = word[i];
  }
}

template <typename Word>
static void launch(DsprtRun *run, const Boxes &boxes) {
  int others = boxes.count > 1 ? boxes.count - 1 : 1;
  int64_t most = 1, each = (BLOCKS + others - 1) / others;
  for (int i = 0; i < boxes.count; i++)
    if (boxes.words[i].count > most) most = boxes.words[i].count;
  int64_t needed = (most + PUSH_THREADS - 1) / PUSH_THREADS;
  if (each > needed) each = needed;
  push_kernel<Word><<<(unsigned)(each * boxes.count), PUSH_THREADS, 0,
                      dsprt_stream(run)>>>(boxes);
  dsprt_check_launch(run);
}

void dsprt_push(DsprtRun *run, DsprtType type, const DsprtPush *pushes,
                int count) {
  Boxes boxes = {};
  DsprtCopy copies[DSPRT_MAX_PEERS];
  int64_t bytes = dsprt_type_bytes(type), n = 16 / bytes;
  boxes.count = count;
  for (int i = 0; i < count; i++) {
    const DsprtPush &p = pushes[i];
    copies[i] = copy_of_boxes(&p.from, &p.to);
    boxes.in[i] = (const unsigned char *)p.in + p.from.offset * bytes;
    boxes.out[i] = (unsigned char *)p.out + p.to.offset * bytes;
    int64_t fits =
        elements_of_word(&copies[i], bytes, boxes.in[i], boxes.out[i]);
    if (fits < n) n = fits;
  }
  for (int i = 0; i < count; i++) boxes.words[i] = words_of(&copies[i], n);
  switch (n * bytes) {
  case 2: launch<uint16_t>(run, boxes); break;
  case 4: launch<uint32_t>(run, boxes); break;
  case 8: launch<uint2>(run, boxes); break;
  default: launch<uint4>(run, boxes); break;
  }
}

static __device__ void store_release(uint32_t *to, uint32_t value) {
  asm volatile("st.release.sys.global.u32 [%0], %1;"
               :
               : "l"(to), "r"(value)
               : "memory");
}

static __device__ uint32_t load_acquire(const uint32_t *from) {
  uint32_t value;
  asm volatile("ld.acquire.sys.global.u32 %0, [%1];"
               : "=r"(value)
               : "l"(from)
               : "memory");
  return value;
}

static __device__ uint64_t nanoseconds() {
  uint64_t now;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  return now;
}

/// Thread r tells rank r and waits for it.  A rank's flags: what each rank has
/// told it, then the barriers that it has passed itself.
static __global__ void barrier_kernel(DsprtPeers peers, int rank, int ranks) {
  int peer = threadIdx.x;
  uint32_t *own = peers.flags[rank];
  uint32_t turn = own[ranks] + 1;
  __syncthreads();
  if (peer == rank) own[ranks] = turn;
  store_release(&peers.flags[peer][rank], turn);
  uint64_t begin = nanoseconds();
  while ((int32_t)(load_acquire(&own[peer]) - turn) < 0) {
    if (nanoseconds() - begin < DSPRT_PEERS_SECONDS * 1000000000ull) continue;
    *(volatile int *)peers.late = peer + 1;
    __threadfence_system();
    __trap();
  }
}

void dsprt_peers_barrier(DsprtRun *run, const DsprtPeers *peers) {
  barrier_kernel<<<1, (unsigned)run->ranks, 0, dsprt_stream(run)>>>(
      *peers, run->rank, run->ranks);
  dsprt_check_launch(run);
}
