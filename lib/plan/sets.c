// sets.c - how the set of layouts of one value may grow, and which of two sets
// is better.
//
// A value is produced in one layout; every conversion adds one more.  What a
// set costs is thus the cheapest tree of conversions that reaches all layouts
// that were asked for, stops on the way included (a directed Steiner tree over
// the few layouts of a class).  Such a tree is grown path by path, in the order
// of the uses: each use adds the path that its layout needs.
//
// Needs:  tables of direct conversions.
// Leaves: lists of growths among which a cheapest plan always finds its own.
#include "sets.h"

#include <string.h>

static const DspHop never = {DSP_PLAN_NEVER, 0};

bool dsp_hop_less(DspHop a, DspHop b) {
  if (a.bytes != b.bytes)
    return a.bytes < b.bytes;
  return a.collectives < b.collectives;
}

DspHop dsp_hop_add(DspHop a, DspHop b) {
  if (a.bytes == DSP_PLAN_NEVER || b.bytes == DSP_PLAN_NEVER)
    return never;
  return (DspHop){a.bytes + b.bytes, a.collectives + b.collectives};
}

static bool is_free(DspHop hop) {
  return hop.bytes == 0 && hop.collectives == 0;
}

static DspHop direct(const DspMetric *metric, uint32_t from, uint32_t to) {
  size_t at = (size_t)from * metric->count + to;
  if (from == to)
    return (DspHop){0, 0};
  if (metric->table->bytes[at] == DSP_PLAN_NEVER)
    return never;
  return (DspHop){metric->table->bytes[at], metric->table->collectives[at]};
}

/// All shortest ways (Floyd, Warshall).
static void find_near(const DspMetric *metric, DspHop *near) {
  uint32_t n = metric->count;
  for (uint32_t a = 0; a < n; ++a)
    for (uint32_t b = 0; b < n; ++b)
      near[a * n + b] = direct(metric, a, b);
  for (uint32_t via = 0; via < n; ++via)
    for (uint32_t a = 0; a < n; ++a)
      for (uint32_t b = 0; b < n; ++b) {
        DspHop hop = dsp_hop_add(near[a * n + via], near[via * n + b]);
        if (dsp_hop_less(hop, near[a * n + b]))
          near[a * n + b] = hop;
      }
}

static DspMetric make_metric(DspArena *arena, const DspLayoutClass *table) {
  uint32_t n = table->count;
  DspMetric metric = {.count = n, .table = table};
  metric.near = DSP_NEW(arena, DspHop, (size_t)n * n);
  metric.free = DSP_NEW(arena, DspLayoutSet, n);
  find_near(&metric, metric.near);
  for (uint32_t a = 0; a < n; ++a)
    for (uint32_t b = 0; b < n; ++b)
      if (is_free(metric.near[a * n + b]))
        metric.free[a] |= dsp_set_of(b);
  return metric;
}

DspSets dsp_sets(DspArena *arena, const DspSearchProblem *problem) {
  DspMetric *metrics = DSP_NEW(arena, DspMetric, problem->nclasses);
  for (size_t i = 0; i < problem->nclasses; ++i)
    metrics[i] = make_metric(arena, &problem->classes[i]);
  return (DspSets){.arena = arena, .metrics = metrics,
                   .keys = dsp_interner(arena),
                   .gaps = DSP_NEW(arena, DspGap, DSP_GAPS),
                   .reaches = DSP_NEW(arena, DspKnownReach, DSP_REACHES)};
}

/// The price of `layout` for a value that exists in `set`.
static DspHop nearest(const DspMetric *metric, DspLayoutSet set,
                      uint32_t layout) {
  DspHop best = never;
  for (; set; set &= set - 1) {
    DspHop hop = metric->near[dsp_set_first(set) * metric->count + layout];
    if (dsp_hop_less(hop, best))
      best = hop;
  }
  return best;
}

/// The same by one conversion; `*from` receives where it starts.
static DspHop nearest_direct(const DspMetric *metric, DspLayoutSet set,
                             uint32_t layout, uint32_t *from) {
  DspHop best = never;
  for (; set; set &= set - 1) {
    DspHop hop = direct(metric, dsp_set_first(set), layout);
    if (!dsp_hop_less(hop, best))
      continue;
    best = hop;
    *from = dsp_set_first(set);
  }
  return best;
}

/// True when nothing is lost by forgetting that the value exists in `layout`:
/// nobody wants it, or the others give it for nothing; and every conversion
/// that might start there costs no more from the others.
static bool is_useless(const DspMetric *metric, DspDemand demand,
                       DspLayoutSet set, uint32_t layout) {
  DspLayoutSet rest = set & ~dsp_set_of(layout);
  if (!rest)
    return false;
  if ((demand.wanted & dsp_set_of(layout)) &&
      !is_free(nearest(metric, rest, layout)))
    return false;
  for (uint32_t to = 0; to < metric->count; ++to)
    if (!(set & dsp_set_of(to)) &&
        dsp_hop_less(direct(metric, layout, to), nearest(metric, rest, to)))
      return false;
  return true;
}

static DspLayoutSet trim(const DspMetric *metric, DspDemand demand,
                         DspLayoutSet set) {
  for (uint32_t i = metric->count; i-- > 0;)
    if ((set & dsp_set_of(i)) && is_useless(metric, demand, set, i))
      set &= ~dsp_set_of(i);
  return set;
}

static DspLayoutSet free_of(const DspMetric *metric, DspLayoutSet set) {
  DspLayoutSet free = set;
  for (; set; set &= set - 1)
    free |= metric->free[dsp_set_first(set)];
  return free;
}

/// Grows `have` until it holds `other`, the dearest layout first: what that
/// brings for nothing need not be bought.
static DspHop gap_by_growth(const DspMetric *metric, DspLayoutSet have,
                            DspLayoutSet other) {
  DspHop total = {0, 0};
  have = free_of(metric, have);
  while (other & ~have) {
    DspHop dearest = {-1, 0};
    uint32_t next = 0;
    for (DspLayoutSet left = other & ~have; left; left &= left - 1) {
      DspHop hop = nearest(metric, have, dsp_set_first(left));
      if (!dsp_hop_less(dearest, hop))
        continue;
      dearest = hop;
      next = dsp_set_first(left);
    }
    total = dsp_hop_add(total, dearest);
    have |= metric->free[next];
  }
  return total;
}

/// One use is left: the largest difference that it can make.
static DspHop gap_of_last_use(const DspMetric *metric, DspDemand demand,
                              DspLayoutSet have, DspLayoutSet other) {
  DspHop worst = {0, 0};
  for (DspLayoutSet set = demand.wanted; set; set &= set - 1) {
    DspHop mine = nearest(metric, have, dsp_set_first(set));
    DspHop its = nearest(metric, other, dsp_set_first(set));
    if (its.bytes == DSP_PLAN_NEVER)
      continue;
    if (mine.bytes == DSP_PLAN_NEVER)
      return never;
    DspHop more = {mine.bytes - its.bytes, mine.collectives - its.collectives};
    if (dsp_hop_less(worst, more))
      worst = more;
  }
  return worst;
}

/// Few uses are left: as many of the dearest wanted layouts, each bought alone.
static DspHop gap_by_uses(const DspMetric *metric, DspDemand demand,
                          DspLayoutSet have, DspLayoutSet other) {
  DspHop top[DSP_USES_MANY] = {{0, 0}};
  for (DspLayoutSet set = demand.wanted; set; set &= set - 1) {
    DspHop hop = nearest(metric, have, dsp_set_first(set));
    if (hop.bytes == DSP_PLAN_NEVER &&
        nearest(metric, other, dsp_set_first(set)).bytes == DSP_PLAN_NEVER)
      continue;
    for (uint32_t i = 0; i < demand.uses; ++i)
      if (dsp_hop_less(top[i], hop)) {
        DspHop swap = top[i];
        top[i] = hop;
        hop = swap;
      }
  }
  DspHop total = {0, 0};
  for (uint32_t i = 0; i < demand.uses; ++i)
    total = dsp_hop_add(total, top[i]);
  return total;
}

static DspHop find_gap(const DspSets *sets, DspDemand demand,
                       DspLayoutSet have, DspLayoutSet other) {
  const DspMetric *metric = &sets->metrics[demand.class_id];
  if (demand.uses == 1)
    return gap_of_last_use(metric, demand, have, other);
  DspHop growth = gap_by_growth(metric, have, other);
  if (demand.uses >= DSP_USES_MANY)
    return growth;
  DspHop alone = gap_by_uses(metric, demand, have, other);
  return dsp_hop_less(alone, growth) ? alone : growth;
}

static DspGap *remembered(const DspSets *sets, DspDemand demand,
                          DspLayoutSet have, DspLayoutSet other) {
  uint64_t hash = (have * 0x9e3779b97f4a7c15u ^ other) * 0xff51afd7ed558ccdu;
  hash = (hash ^ demand.wanted ^ (uint64_t)demand.class_id << 32 ^
          demand.uses) * 0xc4ceb9fe1a85ec53u;
  return &sets->gaps[hash >> 32 & (DSP_GAPS - 1)];
}

DspHop dsp_sets_gap(const DspSets *sets, DspDemand demand, DspLayoutSet have,
                    DspLayoutSet other) {
  if (have == other || demand.uses == 0)
    return (DspHop){0, 0};
  DspGap *gap = remembered(sets, demand, have, other);
  if (gap->have == have && gap->other == other &&
      gap->demand.wanted == demand.wanted && gap->demand.uses == demand.uses &&
      gap->demand.class_id == demand.class_id)
    return gap->hop;
  *gap = (DspGap){demand, have, other, find_gap(sets, demand, have, other)};
  return gap->hop;
}

/// The beginning of a way: where it has stopped so far.
typedef struct Trail {
  DspLayoutSet set;
  DspHop hop;
  uint32_t nstops;
  const uint8_t *stops; ///< [nstops]
} Trail;

/// All ways from a set to a layout, a stop at a time.
typedef struct Walk {
  const DspSets *sets;
  const DspMetric *metric;
  DspArena *scratch;
  DspDemand demand;
  uint32_t target;
  DspReach *ways;
  DspHop *most; ///< what the demand costs at most after each way
  uint32_t count, capacity, most_capacity;
  Trail *trails; ///< in the order of their length
  uint32_t ntrails, trails_capacity;
  bool cut; ///< there was no room for a trail or a way
} Walk;

static bool is_as_good(const Walk *walk, DspLayoutSet set, DspHop hop,
                       DspLayoutSet other, DspHop price) {
  DspHop gap = dsp_sets_gap(walk->sets, walk->demand, set, other);
  return !dsp_hop_less(price, dsp_hop_add(hop, gap));
}

static const uint8_t *copy_stops(DspArena *arena, const uint8_t *stops,
                                 uint32_t nstops, uint32_t more) {
  uint8_t *copy = DSP_NEW(arena, uint8_t, nstops + more);
  memcpy(copy, stops, nstops);
  return copy;
}

/// Keeps a way unless one that is kept already is as good: then the plan that
/// takes this way may as well take that one.
static void add_way(Walk *walk, DspReach way) {
  for (uint32_t i = 0; i < walk->count; ++i)
    if (is_as_good(walk, walk->ways[i].set, walk->ways[i].hop, way.set,
                   way.hop))
      return;
  if (walk->count == DSP_MOST_WAYS) {
    walk->cut = true;
    return;
  }
  DspArena *arena = walk->sets->arena;
  way.stops = copy_stops(arena, way.stops, way.nstops, 0);
  DSP_GROW(arena, walk->ways, walk->count, walk->capacity);
  DSP_GROW(arena, walk->most, walk->count, walk->most_capacity);
  walk->most[walk->count] =
      dsp_sets_gap(walk->sets, walk->demand, way.set, walk->demand.wanted);
  walk->ways[walk->count++] = way;
}

static uint32_t last_of(const Trail *trail) {
  return trail->stops[trail->nstops - 1];
}

/// Whatever goes on from here could as well go on from a trail that is kept
/// and ends in the same layout; or from a way that is kept, where the stops so
/// far can be bought later, or all that will be asked for costs no more than
/// what is still to go.
static bool is_beaten(const Walk *walk, const Trail *trail) {
  DspHop rest =
      walk->metric->near[last_of(trail) * walk->metric->count + walk->target];
  DspHop least = dsp_hop_add(trail->hop, rest);
  for (uint32_t i = 0; i < walk->count; ++i) {
    const DspReach *way = &walk->ways[i];
    if (is_as_good(walk, way->set, way->hop, trail->set, trail->hop) ||
        !dsp_hop_less(least, dsp_hop_add(way->hop, walk->most[i])))
      return true;
  }
  for (uint32_t i = 0; i < walk->ntrails; ++i)
    if (last_of(&walk->trails[i]) == last_of(trail) &&
        is_as_good(walk, walk->trails[i].set, walk->trails[i].hop, trail->set,
                   trail->hop))
      return true;
  return false;
}

/// Takes one step more: the way is found, or a trail to go on from.
static void take_step(Walk *walk, DspLayoutSet set, const Trail *trail,
                      uint32_t to, DspHop step) {
  uint8_t *stops = (uint8_t *)copy_stops(walk->scratch, trail->stops,
                                         trail->nstops, 1);
  Trail next = {set | dsp_set_of(to), dsp_hop_add(trail->hop, step),
                trail->nstops + 1, stops};
  stops[trail->nstops] = (uint8_t)to;
  if (to == walk->target) {
    add_way(walk, (DspReach){trim(walk->metric, walk->demand, next.set),
                             next.hop, next.nstops, next.stops});
    return;
  }
  if (is_beaten(walk, &next))
    return;
  if (walk->ntrails == DSP_MOST_TRAILS) {
    walk->cut = true;
    return;
  }
  DSP_GROW(walk->scratch, walk->trails, walk->ntrails,
           walk->trails_capacity);
  walk->trails[walk->ntrails++] = next;
}

/// Goes on from the last stop.  A step is taken only if it is cheaper than
/// from any older layout: otherwise the tree loses nothing when the step
/// starts there and the last stop waits until somebody needs it.
static void walk_on(Walk *walk, Trail trail) {
  uint32_t last = last_of(&trail), from = 0;
  DspLayoutSet older = trail.set & ~dsp_set_of(last);
  for (uint32_t to = 0; to < walk->metric->count; ++to) {
    DspHop step = direct(walk->metric, last, to);
    if ((trail.set & dsp_set_of(to)) || step.bytes == DSP_PLAN_NEVER ||
        !dsp_hop_less(step, nearest_direct(walk->metric, older, to, &from)))
      continue;
    take_step(walk, trail.set, &trail, to, step);
  }
}

/// Takes the first step, from wherever it is cheapest; then one more from each
/// trail, the shortest first.
static void walk_from(Walk *walk, DspLayoutSet set) {
  for (uint32_t to = 0; to < walk->metric->count; ++to) {
    uint32_t from = 0;
    DspHop step = nearest_direct(walk->metric, set, to, &from);
    if ((set & dsp_set_of(to)) || step.bytes == DSP_PLAN_NEVER)
      continue;
    uint8_t first = (uint8_t)from;
    take_step(walk, set, &(Trail){set, {0, 0}, 1, &first}, to, step);
  }
  for (uint32_t i = 0; i < walk->ntrails; ++i)
    walk_on(walk, walk->trails[i]);
}

/// Cheapest first, in place and stable.
static void sort_ways(DspReach *ways, uint32_t count) {
  for (uint32_t i = 1; i < count; ++i) {
    DspReach way = ways[i];
    uint32_t at = i;
    for (; at > 0 && dsp_hop_less(way.hop, ways[at - 1].hop); --at)
      ways[at] = ways[at - 1];
    ways[at] = way;
  }
}

/// Drops every way after one that is as good for the demand to come.
static uint32_t prune_ways(Walk *walk) {
  uint32_t count = walk->count;
  walk->count = 0;
  for (uint32_t i = 0; i < count; ++i)
    add_way(walk, walk->ways[i]);
  return walk->count;
}

static DspReachList find_ways(DspSets *sets, DspDemand after, DspLayoutSet set,
                              uint32_t layout) {
  const DspMetric *metric = &sets->metrics[after.class_id];
  DspArena *scratch = dsp_arena_create();
  Walk walk = {.sets = sets, .metric = metric, .scratch = scratch,
               .demand = after, .target = layout};
  uint8_t there = (uint8_t)layout;
  if (set & dsp_set_of(layout))
    add_way(&walk, (DspReach){trim(metric, after, set), {0, 0}, 1, &there});
  else
    walk_from(&walk, set);
  dsp_arena_destroy(scratch);
  sort_ways(walk.ways, walk.count);
  uint32_t kept = prune_ways(&walk);
  sets->cut |= walk.cut;
  return (DspReachList){kept, walk.ways, walk.cut,
                        nearest(metric, set, layout).bytes};
}

static DspReachList look_up_ways(DspSets *sets, DspDemand after,
                                 DspLayoutSet set, uint32_t layout) {
  bool fresh = false;
  uint64_t key[] = {(uint64_t)after.class_id << 32 | after.uses << 8 | layout,
                    after.wanted, set};
  uint32_t number = dsp_intern(&sets->keys, key, 3, &fresh);
  if (!fresh)
    return sets->lists[number];
  DSP_GROW(sets->arena, sets->lists, number, sets->capacity);
  return sets->lists[number] = find_ways(sets, after, set, layout);
}

DspReachList dsp_sets_reach(DspSets *sets, DspDemand after, DspLayoutSet set,
                            uint32_t layout) {
  uint64_t hash = (set * 0x9e3779b97f4a7c15u ^ after.wanted ^
                   (uint64_t)after.class_id << 40 ^
                   (uint64_t)after.uses << 32 ^ layout) *
                  0xff51afd7ed558ccdu;
  DspKnownReach *known = &sets->reaches[hash >> 50 & (DSP_REACHES - 1)];
  if (known->set != set || known->layout != layout ||
      known->after.wanted != after.wanted ||
      known->after.uses != after.uses ||
      known->after.class_id != after.class_id) // no set is empty
    *known = (DspKnownReach){after, set, layout,
                             look_up_ways(sets, after, set, layout)};
  return known->list;
}
