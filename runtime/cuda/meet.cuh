// meet.cuh - how a kernel waits for the same kernel of the other ranks.
//
// Needs:  flags mapped into each other (peers.c); kernels that all ranks start
//         in the same order.
// Leaves: turns that count on in device memory: a captured graph replays.  A
//         rank that does not come ends the kernel with an error, and `late`
//         says which one it was.
#ifndef DSPRT_CUDA_MEET_CUH
#define DSPRT_CUDA_MEET_CUH

#include "peers.h"

struct Meeting {
  DsprtFlags *flags[DSPRT_MAX_PEERS];
  int *late;
  uint64_t patience; ///< nanoseconds
  int rank, ranks;
};

static inline Meeting meeting_of(const DsprtRun *run, const DsprtPeers *p) {
  Meeting m = {};
  for (int r = 0; r < run->ranks; r++) m.flags[r] = p->flags[r];
  m.late = p->late;
  m.patience = (uint64_t)p->seconds * 1000000000u;
  m.rank = run->rank;
  m.ranks = run->ranks;
  return m;
}

static __device__ inline void store_release(uint32_t *to, uint32_t value) {
  asm volatile("st.release.sys.global.u32 [%0], %1;"
               :
               : "l"(to), "r"(value)
               : "memory");
}

static __device__ inline uint32_t load_acquire(const uint32_t *from) {
  uint32_t value;
  asm volatile("ld.acquire.sys.global.u32 %0, [%1];"
               : "=r"(value)
               : "l"(from)
               : "memory");
  return value;
}

static __device__ inline uint64_t nanoseconds() {
  uint64_t now;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  return now;
}

static __device__ inline void wait_for(const Meeting &m, int peer,
                                       uint32_t turn) {
  const uint32_t *told = &m.flags[m.rank]->told[peer];
  uint64_t begin = 0;
  for (uint32_t n = 1; (int32_t)(load_acquire(told) - turn) < 0; n++) {
    if (n % 1024) continue;
    uint64_t now = nanoseconds();
    if (begin == 0) begin = now;
    if (now - begin < m.patience) continue;
    *(volatile int *)m.late = peer + 1;
    __threadfence_system();
    __trap();
  }
}

/// At the head of a kernel, by all threads of all blocks; a block has at least
/// DSPRT_MAX_PEERS threads.  Behind it the other ranks have done what stood
/// before in their streams.  Returns this rank's turn.
static __device__ inline uint32_t meet_before(const Meeting &m) {
  __shared__ uint32_t shared_turn;
  int peer = threadIdx.x;
  if (peer == 0) shared_turn = load_acquire(&m.flags[m.rank]->turn);
  __syncthreads();
  uint32_t turn = shared_turn;
  if (peer < m.ranks) {
    if (blockIdx.x == 0) store_release(&m.flags[peer]->told[m.rank], turn + 1);
    wait_for(m, peer, turn + 1);
  }
  __syncthreads();
  return turn;
}

/// At its end: behind it all ranks have what the kernels stored.
static __device__ inline void meet_after(const Meeting &m, uint32_t turn) {
  __shared__ bool is_last;
  DsprtFlags *own = m.flags[m.rank];
  int peer = threadIdx.x;
  __syncthreads();
  if (peer == 0) {
    __threadfence_system();
    is_last = atomicAdd(&own->blocks, 1) == gridDim.x - 1;
    __threadfence_system();
  }
  __syncthreads();
  if (!is_last) return;
  if (peer == 0) own->blocks = 0, own->turn = turn + 2;
  if (peer < m.ranks) {
    store_release(&m.flags[peer]->told[m.rank], turn + 2);
    wait_for(m, peer, turn + 2);
  }
}

#endif
