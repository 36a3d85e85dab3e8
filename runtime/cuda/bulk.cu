// bulk.cu - rows of boxes carried by the bulk copy engines of the SMs.
//
// A block has one thread that works: it keeps some KB on the way in and some on
// the way out, through shared memory.  So a few blocks fill the links, and no
// word passes through a register.
//
// Needs:  arenas mapped into each other (peers.c); rows that are contiguous on
//         both sides, in multiples of 16 bytes.
// Leaves: every box copied, the rank's own among them.
// Source: cp.async.bulk, PTX ISA 8.0.
#include "meet.cuh"
#include "words.cuh"

enum {
  BULK_THREADS = 32,
  STAGES = 8,
  AHEAD = 4,           ///< pieces on the way in
  MOST_BYTES = 16384,  ///< of a piece
  LEAST_BYTES = 2048,  ///< of a row that is worth it
  BULK_BLOCKS = 64,
};

/// A box as pieces of rows; dims of rows from the slowest to the fastest.
struct Rows {
  const unsigned char *in;
  unsigned char *out;
  int ndims;
  uint32_t size[DSPRT_BOX_DIMS];
  int64_t from[DSPRT_BOX_DIMS], to[DSPRT_BOX_DIMS]; ///< bytes
  uint32_t pieces; ///< of a row
  uint32_t piece;  ///< bytes of each but the last
  uint32_t last;   ///< bytes of the last one
  int64_t count;   ///< of all pieces
};

struct Boxes {
  Meeting meeting;
  int count;
  int64_t most; ///< pieces of a box
  Rows rows[DSPRT_MAX_PEERS];
};

static __device__ uint32_t shared_address(const void *p) {
  return (uint32_t)__cvta_generic_to_shared(p);
}

static __device__ void load(void *to, const void *from, uint32_t bytes,
                            uint64_t *full) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;"
               :
               : "r"(shared_address(full)), "r"(bytes)
               : "memory");
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx"
               "::bytes [%0], [%1], %2, [%3];"
               :
               : "r"(shared_address(to)), "l"(from), "r"(bytes),
                 "r"(shared_address(full))
               : "memory");
}

static __device__ void store(void *to, const void *from, uint32_t bytes) {
  asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;"
               :
               : "l"(to), "r"(shared_address(from)), "r"(bytes)
               : "memory");
}

static __device__ void wait_full(uint64_t *full, uint32_t parity) {
  asm volatile("{\n"
               ".reg .pred p;\n"
               "again:\n"
               "mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n"
               "@!p bra again;\n"
               "}"
               :
               : "r"(shared_address(full)), "r"(parity)
               : "memory");
}

/// Piece number `at` of a box: where it begins on both sides.
static __device__ uint32_t find_piece(const Rows &r, int64_t at, int64_t *from,
                                      int64_t *to) {
  int64_t row = at / r.pieces;
  uint32_t piece = (uint32_t)(at - row * r.pieces);
  *from = *to = (int64_t)piece * r.piece;
  for (int i = r.ndims - 1; i >= 0; i--) {
    int64_t next = row / r.size[i], index = row - next * r.size[i];
    *from += index * r.from[i];
    *to += index * r.to[i];
    row = next;
  }
  return piece + 1 == r.pieces ? r.last : r.piece;
}

/// A piece on its way.
struct Piece {
  unsigned char *out;
  uint32_t bytes; ///< 0: none
};

/// What a block keeps beside the bytes of its stages.
struct Pipe {
  uint64_t full[STAGES];
  Piece pieces[STAGES];
  uint32_t parities; ///< a bit for each stage: of the phase that is awaited
};

/// Begins to load piece number `at` of all boxes, which take turns.
static __device__ void begin_piece(const Boxes &boxes, int64_t at, Pipe *pipe,
                                   int stage, unsigned char *bytes) {
  const Rows &r = boxes.rows[at % boxes.count];
  int64_t from, to, index = at / boxes.count;
  pipe->pieces[stage].bytes = 0;
  if (index >= r.count) return;
  uint32_t size = find_piece(r, index, &from, &to);
  pipe->pieces[stage] = {r.out + to, size};
  load(bytes, r.in + from, size, &pipe->full[stage]);
}

/// Begins to store the piece of a stage when it has come.
static __device__ void pass_piece(Pipe *pipe, int stage,
                                  const unsigned char *bytes) {
  Piece piece = pipe->pieces[stage];
  if (piece.bytes == 0) return;
  wait_full(&pipe->full[stage], pipe->parities >> stage & 1);
  pipe->parities ^= 1u << stage;
  store(piece.out, bytes, piece.bytes);
}

/// Step i loads piece i of this block and stores piece i - AHEAD.
static __device__ void carry(const Boxes &boxes, unsigned char *stages,
                             Pipe *pipe) {
  int64_t all = boxes.most * boxes.count;
  int64_t mine = blockIdx.x < all ? (all - blockIdx.x - 1) / gridDim.x + 1 : 0;
  for (int64_t i = 0; i < mine + AHEAD; i++) {
    int in = (int)(i % STAGES), out = (int)((i + STAGES - AHEAD) % STAGES);
    // What was stored from the stage of piece i - STAGES has been read.
    asm volatile("cp.async.bulk.wait_group.read %0;"
                 :
                 : "n"(STAGES - 1 - AHEAD)
                 : "memory");
    if (i < mine)
      begin_piece(boxes, blockIdx.x + i * gridDim.x, pipe, in,
                  stages + in * MOST_BYTES);
    if (i < AHEAD) continue;
    pass_piece(pipe, out, stages + out * MOST_BYTES);
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
  }
  asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
}

static __global__ void __launch_bounds__(BULK_THREADS)
    bulk_kernel(const __grid_constant__ Boxes boxes) {
  extern __shared__ __align__(128) unsigned char stages[];
  __shared__ Pipe pipe;
  if (threadIdx.x == 0) {
    pipe.parities = 0;
    for (int s = 0; s < STAGES; s++)
      asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;"
                   :
                   : "r"(shared_address(&pipe.full[s]))
                   : "memory");
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  uint32_t turn = meet_before(boxes.meeting);
  if (threadIdx.x == 0) carry(boxes, stages, &pipe);
  meet_after(boxes.meeting, turn);
}

/// A box in pieces of rows; false when its rows are short or not aligned.
static bool rows_of(const DsprtPush *push, int64_t bytes, Rows *rows) {
  DsprtCopy copy = copy_of_boxes(&push->from, &push->to);
  *rows = {};
  rows->in = (const unsigned char *)push->in + push->from.offset * bytes;
  rows->out = (unsigned char *)push->out + push->to.offset * bytes;
  if (elements_of_word(&copy, bytes, rows->in, rows->out) * bytes < 16)
    return false;
  rows->ndims = copy.ndims - 1;
  int64_t row = copy.dims[rows->ndims].size * bytes;
  if (row < LEAST_BYTES || row > INT32_MAX) return false;
  rows->pieces = (uint32_t)((row + MOST_BYTES - 1) / MOST_BYTES);
  rows->piece = (uint32_t)((row / 16 + rows->pieces - 1) / rows->pieces * 16);
  rows->last = (uint32_t)row - (rows->pieces - 1) * rows->piece;
  rows->count = rows->pieces;
  for (int i = 0; i < rows->ndims; i++) {
    rows->size[i] = (uint32_t)copy.dims[i].size;
    rows->from[i] = copy.dims[i].in * bytes;
    rows->to[i] = copy.dims[i].out * bytes;
    rows->count *= copy.dims[i].size;
  }
  return true;
}

bool dsprt_push_bulk(DsprtRun *run, const DsprtPeers *peers, DsprtType type,
                     const DsprtPush *pushes, int count) {
  Boxes boxes = {};
  int64_t blocks = peers->blocks ? peers->blocks : (int)BULK_BLOCKS;
  int shared = STAGES * MOST_BYTES;
  boxes.meeting = meeting_of(run, peers);
  boxes.count = count;
  for (int i = 0; i < count; i++) {
    if (!rows_of(&pushes[i], dsprt_type_bytes(type), &boxes.rows[i]))
      return false;
    if (boxes.rows[i].count > boxes.most) boxes.most = boxes.rows[i].count;
  }
  if (count == 0) return false;
  if (blocks > boxes.most * count) blocks = boxes.most * count;
  if (cudaFuncSetAttribute(bulk_kernel,
                           cudaFuncAttributeMaxDynamicSharedMemorySize,
                           shared) != cudaSuccess)
    return false;
  bulk_kernel<<<(unsigned)blocks, BULK_THREADS, (size_t)shared,
                dsprt_stream(run)>>>(boxes);
  dsprt_check_launch(run);
  return true;
}
