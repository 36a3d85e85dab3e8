// advise.c - how many ranks a model is worth, and on which mesh.
//
// Needs:  the imported module, which is not changed.
// Leaves: a table.
#include <jansson.h>
#include <stdlib.h>

#include "dspc/support/bug.h"
#include "memory.h"

int64_t dsp_next_ranks(int64_t ranks) {
  if (ranks < 8) return ranks + 1;
  int64_t power = 8;
  while (power * 2 <= ranks) power *= 2;
  return ranks < power * 3 / 2 ? power * 3 / 2 : power * 2;
}

static double seconds_of(const DspMeasure *m) {
  return m->study.plan.compute + m->study.plan.communication;
}

static double gib(int64_t bytes) { return (double)bytes / 1073741824.0; }

int64_t dsp_most_ranks(const DspMachine *machine, int64_t wish) {
  return machine->between.count || wish < machine->ranks_per_node
             ? wish
             : machine->ranks_per_node;
}

enum { MOST_ROWS = 128 };

/// All that was measured.
typedef struct Table {
  DspMeasure *rows;
  size_t count, best; ///< best: the fastest that fits
  bool any;
} Table;

static bool fits(const DspJob *job, const DspMeasure *m) {
  int64_t limit =
      job->options.memory ? job->options.memory : job->machine.memory;
  return dsp_memory_of(m) <= limit;
}

static bool add_row(DspJob *job, Table *table, const DspPlanMesh *mesh) {
  DspMeasure *m = &table->rows[table->count];
  *m = (DspMeasure){.stats = NULL};
  if (!dsp_measure_fitting(job, job->module, mesh, m)) return false;
  bool better = !table->any ||
                seconds_of(m) < seconds_of(&table->rows[table->best]);
  if (fits(job, m) && better) {
    table->best = table->count;
    table->any = true;
  }
  table->count++;
  return true;
}

/// Whole nodes, more than one: an axis between them and one inside.
static bool has_nodes(const DspMachine *machine, int64_t ranks,
                      DspPlanMesh *mesh) {
  int64_t inside = machine->ranks_per_node;
  if (!machine->between.count || inside < 2 || ranks <= inside ||
      ranks % inside)
    return false;
  *mesh = (DspPlanMesh){.naxes = 2,
                        .sizes = {ranks / inside, inside},
                        .names = {"nodes", "gpus"},
                        .nodes = true};
  return true;
}

static bool fill(DspJob *job, Table *table) {
  int64_t most = dsp_most_ranks(&job->machine, job->options.max_ranks);
  table->rows = dsp_arena_alloc(job->arena, MOST_ROWS * sizeof *table->rows);
  for (int64_t n = 1; n <= most && table->count + 2 <= MOST_ROWS;
       n = dsp_next_ranks(n)) {
    DspPlanMesh mesh = dsp_plan_mesh(n);
    if (!add_row(job, table, &mesh)) return false;
    if (has_nodes(&job->machine, n, &mesh) && !add_row(job, table, &mesh))
      return false;
  }
  return true;
}

static double efficiency(const Table *table, const DspMeasure *m) {
  return seconds_of(&table->rows[0]) /
         (seconds_of(m) * (double)m->study.ranks);
}

/// "8", "2x4".
static const char *mesh_text(const DspMeasure *m, char *text, size_t size) {
  const DspPlanMesh *mesh = &m->study.mesh;
  if (mesh->naxes == 1)
    snprintf(text, size, "%lld", (long long)mesh->sizes[0]);
  else
    snprintf(text, size, "%lldx%lld", (long long)mesh->sizes[0],
             (long long)mesh->sizes[1]);
  return text;
}

static void print_row(const DspJob *job, const Table *table,
                      const DspMeasure *m, FILE *out) {
  char mesh[48];
  fprintf(out, "%6s %7.3f ms %7.3f ms %7.3f ms %9.0f %% %14lld %12.3f%s\n",
          mesh_text(m, mesh, sizeof mesh), seconds_of(m) * 1e3,
          m->study.plan.compute * 1e3, m->study.plan.communication * 1e3,
          efficiency(table, m) * 100, (long long)m->study.plan.bytes,
          gib(dsp_memory_of(m)), fits(job, m) ? "" : "  does not fit");
}

static void print_best(const Table *table, FILE *out) {
  const DspMeasure *best = &table->rows[table->best];
  int64_t most = table->rows[table->count - 1].study.ranks;
  char mesh[64];
  fprintf(out, "best: %lld ranks, %.3f ms a step\n",
          (long long)best->study.ranks, seconds_of(best) * 1e3);
  if (best->study.mesh.naxes > 1) {
    dsp_plan_mesh_write(&best->study.mesh, mesh, sizeof mesh);
    fprintf(out, "best mesh: --mesh=%s\n", mesh);
  }
  if (best->study.ranks < most)
    fprintf(out,
            "use fewer ranks than %lld: from %lld on, what moves takes longer "
            "than what more ranks save\n",
            (long long)most, (long long)best->study.ranks);
}

static void print_text(DspJob *job, const Table *table) {
  FILE *out = job->form;
  fprintf(out, "modelled for %s\n", job->machine.name);
  fprintf(out, "%6s %10s %10s %10s %11s %14s %12s\n", "ranks", "step",
          "compute", "moving", "efficiency", "bytes", "memory GiB");
  for (size_t i = 0; i < table->count; i++)
    print_row(job, table, &table->rows[i], out);
  if (table->any)
    print_best(table, out);
  else
    fprintf(out, "best: none fits; give more ranks with --max-ranks\n");
}

static json_t *row_json(const DspJob *job, const Table *table,
                        const DspMeasure *m) {
  char mesh[64];
  dsp_plan_mesh_write(&m->study.mesh, mesh, sizeof mesh);
  return json_pack("{sI ss sf sf sf sI sI sb}", "ranks",
                   (json_int_t)m->study.ranks, "mesh", mesh,
                   "compute_seconds", m->study.plan.compute,
                   "communication_seconds", m->study.plan.communication,
                   "efficiency", efficiency(table, m), "bytes",
                   (json_int_t)m->study.plan.bytes, "memory_bytes",
                   (json_int_t)dsp_memory_of(m), "fits", fits(job, m));
}

static void print_json(DspJob *job, const Table *table) {
  json_t *rows = json_array();
  char mesh[64] = "";
  for (size_t i = 0; i < table->count; i++)
    json_array_append_new(rows, row_json(job, table, &table->rows[i]));
  const DspStudy *best =
      table->any ? &table->rows[table->best].study : NULL;
  if (best) dsp_plan_mesh_write(&best->mesh, mesh, sizeof mesh);
  json_t *root = json_pack("{ss so sI ss}", "topology", job->machine.name,
                           "meshes", rows, "best",
                           (json_int_t)(best ? best->ranks : 0), "best_mesh",
                           mesh);
  if (!root) dsp_bug("advice that is no JSON");
  json_dumpf(root, job->form, JSON_INDENT(2));
  fputc('\n', job->form);
  json_decref(root);
}

bool dsp_advise(DspJob *job) {
  Table table = {0};
  if (!fill(job, &table)) return false;
  (job->options.json ? print_json : print_text)(job, &table);
  return true;
}
