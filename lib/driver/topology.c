// topology.c - machines from JSON files (docs/planner.md says what they hold).
#include "topology.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DSP_TOPOLOGY(symbol, name) extern const char dsp_topology_##symbol[];
#include "topologies.def"

static const struct {
  const char *name, *text;
} shipped[] = {
#define DSP_TOPOLOGY(symbol, name) {name, dsp_topology_##symbol},
#include "topologies.def"
};

const char *dsp_topology_default(void) { return shipped[0].name; }

const char dsp_topology_names[] = ""
#define DSP_TOPOLOGY(symbol, name) " " name
#include "topologies.def"
    ;

/// A file while it is read.
typedef struct Reader {
  const char *file;
  bool failed;
} Reader;

__attribute__((format(printf, 2, 3))) static void fail(Reader *r,
                                                       const char *format,
                                                       ...) {
  va_list args;
  va_start(args, format);
  fprintf(stderr, "%s: error: ", r->file);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  r->failed = true;
}

static double number(Reader *r, const json_t *in, const char *name) {
  const json_t *value = json_object_get(in, name);
  double n = json_number_value(value);
  if (!json_is_number(value) || n <= 0)
    fail(r, "\"%s\" must be a number above 0", name);
  return n;
}

static void read_points(Reader *r, const json_t *in, const char *name,
                        const char *unit, double scale, DspLink *link) {
  const json_t *at = json_object_get(in, unit);
  const json_t *times = json_object_get(in, "microseconds");
  size_t n = json_array_size(at);
  if (n == 0 || n > DSP_MACHINE_POINTS || json_array_size(times) != n) {
    fail(r,
         "\"%s\" needs \"%s\" and \"microseconds\", two lists of the same "
         "length, 1 to %d",
         name, unit, DSP_MACHINE_POINTS);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    const json_t *x = json_array_get(at, i), *t = json_array_get(times, i);
    DspTimePoint *point = &link->points[link->count++];
    *point = (DspTimePoint){json_number_value(x) * scale,
                            json_number_value(t) * 1e-6};
    bool grows = i == 0 || (point->at > point[-1].at &&
                            point->seconds >= point[-1].seconds);
    if (!json_is_number(x) || !json_is_number(t) || point->at <= 0 ||
        point->seconds < 0 || !grows)
      fail(r, "\"%s\": entry %zu must be above the one before it", name,
           i + 1);
  }
}

static void read_machine(Reader *r, const json_t *root, DspMachine *m) {
  const json_t *name = json_object_get(root, "name");
  const json_t *flops = json_object_get(root, "teraflops");
  if (!json_is_string(name)) fail(r, "\"name\" must be a text");
  snprintf(m->name, sizeof m->name, "%s",
           json_is_string(name) ? json_string_value(name) : "");
  m->flops_f32 = number(r, flops, "f32") * 1e12;
  m->flops_16bit = number(r, flops, "bf16") * 1e12;
  m->memory = (int64_t)(number(r, root, "memory_gigabytes") * 1e9);
  m->memory_bandwidth = number(r, root, "memory_gigabytes_per_second") * 1e9;
  m->ranks_per_node =
      json_integer_value(json_object_get(root, "ranks_per_node"));
  if (m->ranks_per_node < 1)
    fail(r, "\"ranks_per_node\" must be a whole number above 0");
  read_points(r, json_object_get(root, "inside_node"), "inside_node",
              "megabytes", 1e6, &m->inside);
  const json_t *between = json_object_get(root, "between_nodes");
  if (!between) return; // one node
  read_points(r, between, "between_nodes", "megabytes", 1e6, &m->between);
  read_points(r, json_object_get(root, "start_over_nodes"),
              "start_over_nodes", "nodes", 1, &m->start);
}

static json_t *load(Reader *r, const char *name) {
  json_error_t error;
  for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++)
    if (strcmp(shipped[i].name, name) == 0)
      return json_loads(shipped[i].text, 0, &error);
  json_t *root = json_load_file(name, 0, &error);
  if (root) return root;
  if (error.line > 0)
    fprintf(stderr, "%s:%d:%d: error: %s\n", name, error.line, error.column,
            error.text);
  else
    fprintf(stderr,
            "dspc: error: %s\n  the shipped topologies are:%s\n",
            error.text, dsp_topology_names);
  r->failed = true;
  return NULL;
}

bool dsp_topology_read(const char *name, DspMachine *machine) {
  Reader r = {.file = name};
  *machine = (DspMachine){0};
  json_t *root = load(&r, name);
  if (root) read_machine(&r, root, machine);
  json_decref(root);
  return !r.failed;
}
