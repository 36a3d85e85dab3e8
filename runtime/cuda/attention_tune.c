// attention_tune.c - attention over more than 64 keys, the fastest of four.
//
// Needs:  tensors in device memory.
// Leaves: o.  In the first pass each shape is timed in all ways that take it.
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "state.h"

enum { REPEATS = 3, WAYS = 4, FEW = 64 };

typedef int Way(DsprtRun *run, const DsprtAttentionCall *call);

static bool is_plain(const DsprtAttention *a) {
  return !a->bias.data && !a->mask.causal && !a->mask.window;
}

static int by_cudnn(DsprtRun *run, const DsprtAttentionCall *call) {
  return is_plain(&call->a) && dsprt_attention_cudnn(run, call);
}

static int by_short(DsprtRun *run, const DsprtAttentionCall *call) {
  return is_plain(&call->a) && dsprt_attention_short(run, call);
}

/// Worth a trial where a tile of queries would be mostly empty.
static int by_warps(DsprtRun *run, const DsprtAttentionCall *call) {
  const DsprtAttention *a = &call->a;
  if (is_plain(a) || a->nquery != 1 || a->query[0].size > FEW) return 0;
  dsprt_attention_any(run, call);
  return 1;
}

static Way *const ways[WAYS] = {dsprt_attention_long, by_cudnn, by_short,
                                by_warps};

/// What the time of a call depends on.
typedef struct Key {
  int64_t elements, queries, keys, dot, width; ///< elements of the batch
  int64_t causal, window, biased;
} Key;

typedef struct DsprtAttentionChoice {
  struct DsprtAttentionChoice *next;
  Key key;
  int way; ///< the first to be tried
} DsprtAttentionChoice;

/// Milliseconds, or a negative number when the call is not of this kind.
static float time_of(DsprtRun *run, Way *way, const DsprtAttentionCall *call) {
  DsprtState *state = run->state;
  cudaEvent_t begin, end;
  float ms = -1;
  if (!way(run, call)) return -1;
  dsprt_check_cuda(run, cudaEventCreate(&begin), "an event");
  dsprt_check_cuda(run, cudaEventCreate(&end), "an event");
  cudaEventRecord(begin, state->stream);
  for (int i = 0; i < REPEATS; i++) way(run, call);
  cudaEventRecord(end, state->stream);
  dsprt_check_cuda(run, cudaEventSynchronize(end), "timing an attention");
  cudaEventElapsedTime(&ms, begin, end);
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return ms;
}

/// o overlaps none of the inputs, so that trials may write it.
static int fastest(DsprtRun *run, const DsprtAttentionCall *call) {
  int best = 0;
  float least = -1;
  for (int i = 0; i < WAYS; i++) {
    float ms = time_of(run, ways[i], call);
    if (ms < 0 || (least >= 0 && ms >= least)) continue;
    least = ms;
    best = i;
  }
  return best;
}

static Key key_of(const DsprtAttention *a) {
  Key key = {1,
             1,
             1,
             a->dot,
             a->width,
             a->mask.causal,
             a->mask.window,
             a->bias.data != NULL};
  for (int i = 0; i < a->nbatch; i++) key.elements *= a->batch[i].size;
  for (int i = 0; i < a->nquery; i++) key.queries *= a->query[i].size;
  for (int i = 0; i < a->nkey; i++) key.keys *= a->key[i].size;
  return key;
}

static int choose(DsprtRun *run, const DsprtAttentionCall *call) {
  DsprtState *state = run->state;
  Key key = key_of(&call->a);
  DsprtAttentionChoice *choice = state->choices;
  while (choice && memcmp(&choice->key, &key, sizeof key) != 0)
    choice = choice->next;
  if (choice) return choice->way;
  if (!state->warming)
    dsprt_fail(run, "an attention that the first pass had not");
  choice = calloc(1, sizeof *choice);
  if (!choice) dsprt_fail(run, "out of memory");
  choice->key = key;
  choice->way = fastest(run, call);
  choice->next = state->choices;
  return (state->choices = choice)->way;
}

int dsprt_attention_tuned(DsprtRun *run, const DsprtAttentionCall *call) {
  if (call->type != DSPRT_BF16) return 0;
  if (ways[choose(run, call)](run, call)) return 1;
  for (int i = 0; i < WAYS; i++)
    if (ways[i](run, call)) return 1;
  return 0;
}

void dsprt_choices_free(DsprtAttentionChoice *list) {
  while (list) {
    DsprtAttentionChoice *next = list->next;
    free(list);
    list = next;
  }
}
