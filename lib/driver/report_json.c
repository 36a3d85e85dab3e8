// report_json.c - dspc plan for programs (docs/planner.md lists the fields).
#include <jansson.h>

#include "dspc/support/bug.h"
#include "memory.h"
#include "report.h"

static json_t *integer(int64_t value) { return json_integer(value); }

static json_t *text(const char *value) {
  return value ? json_string(value) : json_null();
}

static void set(json_t *object, const char *name, json_t *value) {
  if (json_object_set_new(object, name, value))
    dsp_bug("a report that is no JSON");
}

/// The axes, outermost first.
static json_t *mesh_json(const DspPlanMesh *mesh) {
  json_t *out = json_array();
  for (uint32_t a = 0; a < mesh->naxes; a++) {
    json_t *axis = json_object();
    set(axis, "name", text(mesh->names[a]));
    set(axis, "size", integer(mesh->sizes[a]));
    json_array_append_new(out, axis);
  }
  return out;
}

static json_t *stage_json(const DspStudyStage *s) {
  json_t *out = json_object();
  set(out, "stage", integer(s->number));
  set(out, "what", text(s->what));
  set(out, "dims", text(s->dims));
  set(out, "cut", text(s->cut));
  set(out, "collectives", text(s->collectives));
  set(out, "bytes", integer(s->bytes));
  set(out, "compute_seconds", json_real(s->compute));
  set(out, "communication_seconds", json_real(s->communication));
  return out;
}

static json_t *method_json(const DspStudyMethod *m) {
  json_t *out = json_object();
  set(out, "method", text(dsp_plan_method_name(m->method)));
  set(out, "fits", json_boolean(m->fits));
  if (!m->fits) {
    set(out, "misfit", text(m->misfit));
    return out;
  }
  set(out, "residual", text(m->residual));
  set(out, "bytes", integer(m->bytes));
  set(out, "collectives", integer(m->collectives));
  set(out, "compute_seconds", json_real(m->compute));
  set(out, "communication_seconds", json_real(m->communication));
  set(out, "exact", json_boolean(m->exact));
  set(out, "memory_floor", integer(m->floor));
  return out;
}

/// What --memory made of the plan.
static json_t *limit_json(const DspJob *job) {
  const DspStudy *study = &job->measure.study;
  const char *name = job->options.by_time ? "unlimited_picoseconds"
                                          : "unlimited_bytes";
  json_t *out = json_object();
  set(out, "limit", integer(job->options.memory));
  set(out, "needed", integer(dsp_memory_of(&job->measure)));
  set(out, "floor", integer(study->plan.floor));
  set(out, "limited", json_boolean(study->limited));
  set(out, name,
      integer(study->limited ? job->fit.free.cost : study->found));
  set(out, "plans", integer(study->limited ? (int64_t)job->fit.plans : 1));
  return out;
}

static json_t *choice_json(const DspStudyChoice *c) {
  json_t *out = json_object();
  set(out, "dim", text(c->dim));
  set(out, "chosen", json_boolean(c->chosen));
  set(out, "fits", json_boolean(c->fits));
  if (c->fits) {
    set(out, "bytes", integer(c->bytes));
    set(out, "collectives", integer(c->collectives));
    set(out, "seconds", json_real(c->seconds));
    set(out, "memory_floor", integer(c->floor));
  }
  return out;
}

void dsp_report_json(const DspJob *job, FILE *out) {
  const DspStudy *study = &job->measure.study;
  bool by_time = job->options.by_time;
  json_t *root = json_object(), *stages = json_array();
  json_t *methods = json_array(), *certificate = json_object();
  for (size_t i = 0; i < study->nstages; i++)
    json_array_append_new(stages, stage_json(&study->stages[i]));
  for (size_t i = 0; i < study->nmethods; i++)
    json_array_append_new(methods, method_json(&study->methods[i]));
  set(certificate, by_time ? "picoseconds" : "bytes", integer(study->found));
  set(certificate, "lower_bound", integer(study->bound));
  if (study->found != study->bound)
    set(certificate, "width", integer(study->width));
  set(certificate, "optimal", json_boolean(study->found == study->bound));
  set(root, "ranks", integer(study->ranks));
  if (study->mesh.naxes > 1) set(root, "mesh", mesh_json(&study->mesh));
  set(root, "objective", text(by_time ? "time" : "volume"));
  set(root, "topology", text(job->machine.name));
  set(root, "plan", method_json(&study->plan));
  if (study->mesh.naxes > 1)
    set(root, "bytes_between", integer(study->plan.far));
  set(root, "certificate", certificate);
  set(root, "stages", stages);
  set(root, "methods", methods);
  if (job->options.why >= 0) {
    json_t *choices = json_array();
    for (size_t i = 0; i < study->nchoices; i++)
      json_array_append_new(choices, choice_json(&study->choices[i]));
    set(root, "choices", choices);
  }
  set(root, "activation_bytes", integer(job->measure.activation_bytes));
  set(root, "weight_bytes", integer(study->weight_bytes));
  if (job->measure.device_bytes) {
    set(root, "staging_bytes", integer(job->measure.staging_bytes));
    set(root, "device_bytes", integer(job->measure.device_bytes));
  }
  if (job->options.memory) set(root, "memory", limit_json(job));
  json_dumpf(root, out, JSON_INDENT(2));
  fputc('\n', out);
  json_decref(root);
}
