// push.cu - boxes stored straight into the memory of other GPUs, a word a time.
//
// Needs:  arenas mapped into each other (peers.c).
// Leaves: every box copied, the rank's own among them, in one pass.
#include "meet.cuh"
#include "words.cuh"

enum { PUSH_THREADS = 512, IN_FLIGHT = 4 };

/// The boxes of one launch, in words of one size.
struct Boxes {
  Meeting meeting;
  int count;
  const void *in[DSPRT_MAX_PEERS];
  void *out[DSPRT_MAX_PEERS];
  Words words[DSPRT_MAX_PEERS];
};

/// Blocks take the boxes in turn, so that all links work at once.
template <typename Word> static __device__ void copy_words(const Boxes &boxes) {
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
static __global__ void __launch_bounds__(PUSH_THREADS)
    push_kernel(const __grid_constant__ Boxes boxes) {
  uint32_t turn = meet_before(boxes.meeting);
  if (boxes.count > 0) copy_words<Word>(boxes);
  meet_after(boxes.meeting, turn);
}

template <typename Word>
static void launch(DsprtRun *run, int wanted, const Boxes &boxes) {
  int64_t most = 1, each = wanted / (boxes.count > 0 ? boxes.count : 1);
  for (int i = 0; i < boxes.count; i++)
    if (boxes.words[i].count > most) most = boxes.words[i].count;
  int64_t needed = (most + PUSH_THREADS - 1) / PUSH_THREADS;
  if (each > needed) each = needed;
  if (each < 1) each = 1;
  unsigned blocks = (unsigned)(boxes.count > 0 ? each * boxes.count : 1);
  push_kernel<Word><<<blocks, PUSH_THREADS, 0, dsprt_stream(run)>>>(boxes);
  dsprt_check_launch(run);
}

void dsprt_push(DsprtRun *run, const DsprtPeers *peers, DsprtType type,
                const DsprtPush *pushes, int count) {
  Boxes boxes = {};
  DsprtCopy copies[DSPRT_MAX_PEERS];
  int64_t bytes = dsprt_type_bytes(type), n = 16 / bytes;
  boxes.meeting = meeting_of(run, peers);
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
  case 2: launch<uint16_t>(run, peers->blocks, boxes); break;
  case 4: launch<uint32_t>(run, peers->blocks, boxes); break;
  case 8: launch<uint2>(run, peers->blocks, boxes); break;
  default: launch<uint4>(run, peers->blocks, boxes); break;
  }
}
