// engines.c - boxes carried into the memory of other GPUs by copy engines.
//
// Needs:  arenas mapped into each other (peers.c).
// Leaves: every box copied, the rank's own among them, between two kernels in
//         which the ranks wait for each other.  No SM is busy meanwhile.
#include "peers.h"
#include "state.h"

enum { PARTS = 4, MOST_COPIES = 64 };

/// A box with at most two levels of rows; bytes.
typedef struct Plane {
  const unsigned char *in;
  unsigned char *out;
  int64_t length, rows, in_step, out_step;     ///< of rows
  int64_t planes, in_plane, out_plane;
} Plane;

/// Merges what is one in both; false when more than two levels are left.
static bool plane_of(const DsprtPush *push, int64_t bytes, Plane *p) {
  int64_t size[DSPRT_BOX_DIMS], in[DSPRT_BOX_DIMS], out[DSPRT_BOX_DIMS];
  int n = 0;
  for (int i = DSPRT_BOX_DIMS; i-- > 0;) {
    const DsprtBox *f = &push->from, *t = &push->to;
    if (f->size[i] == 1) continue;
    if (n > 0 && f->stride[i] == in[n - 1] * size[n - 1] &&
        t->stride[i] == out[n - 1] * size[n - 1]) {
      size[n - 1] *= f->size[i];
      continue;
    }
    size[n] = f->size[i], in[n] = f->stride[i], out[n] = t->stride[i];
    n++;
  }
  while (n < 3) size[n] = 1, in[n] = out[n] = n == 0, n++;
  if (n > 3 || in[0] != 1 || out[0] != 1) return false;
  *p = (Plane){(const unsigned char *)push->in + push->from.offset * bytes,
               (unsigned char *)push->out + push->to.offset * bytes,
               size[0] * bytes, size[1], in[1] * bytes, out[1] * bytes,
               size[2], in[2] * bytes, out[2] * bytes};
  return true;
}

/// Part `part` of the rows, or of the bytes of a row when there are few.
static Plane part_of(const Plane *p, int part) {
  Plane q = *p;
  if (p->rows >= PARTS) {
    int64_t first = dsprt_begin(p->rows, part, PARTS);
    q.rows = dsprt_part(p->rows, part, PARTS);
    q.in += first * p->in_step;
    q.out += first * p->out_step;
    return q;
  }
  int64_t lines = (p->length + 255) / 256;
  int64_t first = dsprt_begin(lines, part, PARTS) * 256;
  int64_t end = first + dsprt_part(lines, part, PARTS) * 256;
  q.length = (end < p->length ? end : p->length) - first;
  q.in += first;
  q.out += first;
  return q;
}

static void copy(DsprtRun *run, const Plane *p, cudaStream_t stream) {
  for (int64_t i = 0; i < p->planes && p->rows > 0 && p->length > 0; i++)
    dsprt_check_cuda(
        run,
        cudaMemcpy2DAsync(p->out + i * p->out_plane,
                          (size_t)(p->rows > 1 ? p->out_step : p->length),
                          p->in + i * p->in_plane,
                          (size_t)(p->rows > 1 ? p->in_step : p->length),
                          (size_t)p->length, (size_t)p->rows,
                          cudaMemcpyDeviceToDevice, stream),
        "a copy to another rank");
}

static void make_streams(DsprtRun *run, DsprtPeers *peers) {
  if (peers->fork) return;
  dsprt_check_cuda(
      run, cudaEventCreateWithFlags(&peers->fork, cudaEventDisableTiming),
      "an event");
  for (int i = 0; i < DSPRT_ENGINE_STREAMS; i++) {
    dsprt_check_cuda(run,
                     cudaStreamCreateWithFlags(&peers->streams[i],
                                               cudaStreamNonBlocking),
                     "a stream");
    dsprt_check_cuda(
        run, cudaEventCreateWithFlags(&peers->join[i], cudaEventDisableTiming),
        "an event");
  }
}

bool dsprt_push_engines(DsprtRun *run, DsprtPeers *peers, DsprtType type,
                        const DsprtPush *pushes, int count) {
  DsprtState *state = run->state;
  Plane planes[DSPRT_MAX_PEERS];
  int64_t copies = 0, next = 0;
  for (int i = 0; i < count; i++) {
    if (!plane_of(&pushes[i], dsprt_type_bytes(type), &planes[i])) return false;
    copies += planes[i].planes * PARTS;
  }
  if (copies > MOST_COPIES) return false;
  make_streams(run, peers);
  dsprt_peers_meet(run, peers, false);
  dsprt_check_cuda(run, cudaEventRecord(peers->fork, state->stream), "an event");
  for (int i = 0; i < DSPRT_ENGINE_STREAMS; i++)
    dsprt_check_cuda(run, cudaStreamWaitEvent(peers->streams[i], peers->fork, 0),
                     "an event");
  for (int part = 0; part < PARTS; part++)
    for (int i = 0; i < count; i++) {
      Plane plane = part_of(&planes[i], part);
      copy(run, &plane, peers->streams[next++ % DSPRT_ENGINE_STREAMS]);
    }
  for (int i = 0; i < DSPRT_ENGINE_STREAMS; i++) {
    dsprt_check_cuda(run, cudaEventRecord(peers->join[i], peers->streams[i]),
                     "an event");
    dsprt_check_cuda(run, cudaStreamWaitEvent(state->stream, peers->join[i], 0),
                     "an event");
  }
  dsprt_peers_meet(run, peers, true);
  return true;
}
