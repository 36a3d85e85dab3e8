// profile_rows.c - what the spans of a profile add up to.
//
// Needs:  the events of all ranks.
// Leaves: sums by kind of work or by stage, and the distinct collectives.
#include <stdlib.h>
#include <string.h>

#include "profile.h"

static bool is_row(const DsprtRow *row, const DsprtEvent *event) {
  if (row->work != event->work) return false;
  return !row->name || (strcmp(row->name, event->name) == 0 &&
                        strcmp(row->stage, event->stage) == 0);
}

static void add_event(DsprtRows *rows, const DsprtEvent *event, bool by_stage) {
  int i = 0;
  while (i < rows->count && !is_row(&rows->rows[i], event)) i++;
  DsprtRow *row = &rows->rows[i];
  if (i == rows->count) {
    *row = (DsprtRow){.work = event->work,
                      .name = by_stage ? event->name : NULL,
                      .stage = by_stage ? event->stage : NULL};
    rows->count++;
  }
  row->calls++;
  row->seconds += event->end - event->begin;
  row->flops += event->flops;
  row->bytes += event->bytes;
  row->leaving += (double)event->leaving;
}

static int by_seconds(const void *left, const void *right) {
  double a = ((const DsprtRow *)left)->seconds;
  double b = ((const DsprtRow *)right)->seconds;
  return (a < b) - (a > b);
}

DsprtRows dsprt_profile_rows(const DsprtProfile *p, bool by_stage) {
  size_t room = (size_t)(by_stage ? p->most : DSPRT_WORK_STAGE) + 1;
  DsprtRows rows = {.rows = calloc(room * (size_t)p->ranks, sizeof(DsprtRow))};
  if (!rows.rows) return rows;
  for (int r = 0; r < p->ranks; r++) {
    const DsprtEvent *pass = dsprt_event(p, r, p->counts[r] - 1);
    rows.seconds += (pass->end - pass->begin) / p->ranks;
    rows.gaps += (pass->end - pass->begin) / p->ranks;
    for (int64_t i = 0; i < p->counts[r]; i++) {
      const DsprtEvent *event = dsprt_event(p, r, i);
      if (event->work == DSPRT_WORK_STAGE) continue;
      add_event(&rows, event, by_stage);
      rows.gaps -= (event->end - event->begin) / p->ranks;
    }
  }
  if (by_stage)
    qsort(rows.rows, (size_t)rows.count, sizeof *rows.rows, by_seconds);
  return rows;
}

/// The next event between ranks from `*at` on, or NULL.
static const DsprtEvent *next_between(const DsprtProfile *p, int rank,
                                      int64_t *at) {
  while (*at < p->counts[rank]) {
    const DsprtEvent *event = dsprt_event(p, rank, (*at)++);
    if (dsprt_is_between_ranks(event)) return event;
  }
  return NULL;
}

/// One call: the most that leave a rank, and the time of the rank that came
/// last and so waited for nobody.
static bool next_call(const DsprtProfile *p, int64_t *at,
                      DsprtCollective *call) {
  for (int r = 0; r < p->ranks; r++) {
    const DsprtEvent *event = next_between(p, r, &at[r]);
    if (!event) return false;
    double seconds = event->end - event->begin;
    if (r == 0)
      *call = (DsprtCollective){.name = event->name,
                                .value = event->value,
                                .line = event->line,
                                .count = 1,
                                .seconds = seconds};
    if (event->leaving > call->leaving) call->leaving = event->leaving;
    if (seconds < call->seconds) call->seconds = seconds;
  }
  return true;
}

static int by_place(const void *left, const void *right) {
  const DsprtCollective *a = left, *b = right;
  int order = (a->line > b->line) - (a->line < b->line);
  if (!order) order = strcmp(a->name, b->name);
  if (!order) order = strcmp(a->value, b->value);
  if (!order) order = (a->leaving > b->leaving) - (a->leaving < b->leaving);
  return order ? order : (a->seconds > b->seconds) - (a->seconds < b->seconds);
}

static bool are_alike(const DsprtCollective *a, const DsprtCollective *b) {
  return a->line == b->line && a->leaving == b->leaving &&
         strcmp(a->name, b->name) == 0 && strcmp(a->value, b->value) == 0;
}

/// Puts one with the median time in place of calls that are alike.
static int merge_calls(DsprtCollective *calls, int n) {
  int count = 0;
  for (int i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && are_alike(&calls[i], &calls[end]);) end++;
    DsprtCollective one = calls[i];
    one.count = end - i;
    one.seconds = (calls[i + (end - i - 1) / 2].seconds +
                   calls[i + (end - i) / 2].seconds) /
                  2;
    calls[count++] = one;
  }
  return count;
}

DsprtCollective *dsprt_profile_collectives(const DsprtProfile *p, int *count) {
  *count = 0;
  if (p->most == 0) return NULL;
  DsprtCollective *calls = calloc((size_t)p->most, sizeof *calls);
  int64_t *at = calloc((size_t)p->ranks, sizeof *at);
  int n = 0;
  while (calls && at && n < p->most && next_call(p, at, &calls[n])) n++;
  free(at);
  if (!calls) return NULL;
  qsort(calls, (size_t)n, sizeof *calls, by_place);
  *count = merge_calls(calls, n);
  return calls;
}
