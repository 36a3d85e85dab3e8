// steps.c - a list of passes from the text of an option.
//
//   list = step {"," step}    step = name ["{" option {(" "|",") option} "}"]
//   option = "ranks=4" | "mesh=2x4" | "mesh=nodes:2,gpus:4" | "allow-tensor"
//          | "plan=ulysses"
//
// A name that is no pass of ours goes to MLIR as it stands, options included.
#include <stdlib.h>
#include <string.h>

#include "dspc/opt/opt.h"
#include "dspc/support/bug.h"

/// The end of a step: a comma outside of braces and parentheses, or the end.
static const char *end_of_step(const char *text) {
  int depth = 0;
  for (; *text; text++) {
    if (*text == '{' || *text == '(') depth++;
    if (*text == '}' || *text == ')') depth--;
    if (*text == ',' && depth == 0) break;
  }
  return text;
}

static bool word_is(const char *text, size_t length, const char *word) {
  return strlen(word) == length && memcmp(text, word, length) == 0;
}

static bool read_option(DspPassOptions *options, const char *text,
                        size_t length) {
  if (word_is(text, length, "allow-tensor")) {
    options->allow_tensor = true;
    return true;
  }
  size_t plan = strlen("plan=");
  if (length > plan && memcmp(text, "plan=", plan) == 0) {
    char method[32];
    snprintf(method, sizeof method, "%.*s", (int)(length - plan), text + plan);
    return dsp_plan_method_find(method, &options->method);
  }
  size_t mesh = strlen("mesh=");
  if (length > mesh && memcmp(text, "mesh=", mesh) == 0) {
    char axes[128];
    if (length - mesh >= sizeof axes) return false;
    snprintf(axes, sizeof axes, "%.*s", (int)(length - mesh), text + mesh);
    bool fine = dsp_plan_mesh_read(axes, &options->mesh);
    options->ranks = fine ? dsp_plan_ranks(&options->mesh) : 0;
    return fine;
  }
  size_t name = strlen("ranks=");
  if (length <= name || memcmp(text, "ranks=", name) != 0) return false;
  char *end;
  options->ranks = strtoll(text + name, &end, 10);
  return end == text + length && options->ranks >= 1;
}

/// The length of an option: up to a blank or a comma, but for a comma that has
/// an axis with a name behind it.
static size_t option_length(const char *text) {
  static const char ends[] = " ,}";
  size_t length = strcspn(text, ends);
  if (length < 5 || memcmp(text, "mesh=", 5) || text[length] != ',')
    return length;
  size_t next = strcspn(text + length + 1, ends);
  return memchr(text + length + 1, ':', next) ? length + 1 + next : length;
}

/// Reads "{a b=c}" up to `end`; returns where it fails, or NULL.
static const char *read_options(DspPassOptions *options, const char *text,
                                const char *end) {
  if (text == end) return NULL;
  if (*text != '{' || end[-1] != '}') return text;
  for (text++, end--; text < end;) {
    size_t length = option_length(text);
    if (length && !read_option(options, text, length)) return text;
    text += length + (text + length < end);
  }
  return NULL;
}

static char *copy_text(const char *text, size_t length) {
  char *copy = malloc(length + 1);
  if (!copy) dsp_bug("out of memory for a pass name");
  memcpy(copy, text, length);
  copy[length] = '\0';
  return copy;
}

bool dsp_opt_add_steps(DspOptOptions *options, const char *list,
                       const char **wrong) {
  while (*list) {
    const char *end = end_of_step(list);
    size_t name = strcspn(list, "{,");
    *wrong = list;
    if (name == 0 || options->nsteps == DSP_OPT_MAX_STEPS) return false;
    DspOptStep *step = &options->steps[options->nsteps];
    *step = (DspOptStep){.pass = dsp_pass_find(list, name)};
    if (step->pass) {
      *wrong = read_options(&step->options, list + name, end);
      if (*wrong) return false;
    } else {
      char *text = copy_text(list, (size_t)(end - list));
      options->names[options->nsteps] = text;
      step->pipeline = text;
    }
    options->nsteps++;
    list = *end ? end + 1 : end;
  }
  return true;
}

void dsp_opt_release(DspOptOptions *options) {
  for (size_t i = 0; i < options->nsteps; i++) free(options->names[i]);
  options->nsteps = 0;
}
