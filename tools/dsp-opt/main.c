// main.c - dsp-opt: run passes over a .mlir file.
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dspc/dialect/dialect.h"
#include "dspc/opt/opt.h"

const char *argp_program_version = "dsp-opt 0.1.0";

typedef struct Arguments {
  DspOptOptions options;
  const char *output;
  bool irdl;
} Arguments;

enum {
  PASSES = 'p',
  OUTPUT = 'o',
  SPLIT = 256,
  VERIFY,
  LOCATIONS,
  IRDL,
  FIRST_PASS = 1024, // keys of the passes' own options
  MAX_OPTIONS = 64
};

static const struct argp_option fixed_options[] = {
    {"passes", PASSES, "LIST", 0,
     "Passes to run, in order: 'plan-shards{ranks=4},insert-switches,cse'. "
     "Names that dsp-opt does not know go to MLIR",
     1},
    {"split-input-file", SPLIT, NULL, 0,
     "Treat the pieces between lines of '// -----' as files of their own", 1},
    {"verify-diagnostics", VERIFY, NULL, 0,
     "Compare diagnostics with the expected-error comments of the file", 1},
    {"print-locations", LOCATIONS, NULL, 0, "Print source locations too", 1},
    {"irdl", IRDL, NULL, 0,
     "Print the definition of the dialect, for mlir-opt --irdl-file, and stop",
     1},
    {"output", OUTPUT, "FILE", 0, "Write there, not to standard output", 1},
    {NULL, 0, NULL, 0, "Passes:", 2},
};

/// The fixed options and one for each pass.
static void fill_options(struct argp_option *table) {
  size_t count, n = sizeof fixed_options / sizeof fixed_options[0];
  memcpy(table, fixed_options, sizeof fixed_options);
  const DspPass *passes = dsp_pass_pipeline(&count);
  for (size_t i = 0; i < count && n < MAX_OPTIONS - 1; i++)
    table[n++] = (struct argp_option){.name = passes[i].name,
                                      .key = FIRST_PASS + (int)i,
                                      .arg = "OPTIONS",
                                      .flags = OPTION_ARG_OPTIONAL,
                                      .doc = passes[i].summary,
                                      .group = 2};
  table[n] = (struct argp_option){0};
}

static void add_steps(Arguments *arguments, const char *list,
                      struct argp_state *state) {
  const char *wrong = list;
  if (!dsp_opt_add_steps(&arguments->options, list, &wrong))
    argp_error(state, "cannot read the list of passes at '%s'", wrong);
}

/// --plan-shards=ranks=4 is --passes=plan-shards{ranks=4}.
static error_t parse_pass(int key, const char *value,
                          struct argp_state *state) {
  size_t count;
  const DspPass *passes = dsp_pass_pipeline(&count);
  if (key < FIRST_PASS || key >= FIRST_PASS + (int)count)
    return ARGP_ERR_UNKNOWN;
  char step[256];
  snprintf(step, sizeof step, "%s{%s}", passes[key - FIRST_PASS].name,
           value ? value : "");
  add_steps(state->input, step, state);
  return 0;
}

static error_t parse_option(int key, char *value, struct argp_state *state) {
  Arguments *arguments = state->input;
  switch (key) {
  case PASSES: add_steps(arguments, value, state); return 0;
  case SPLIT: arguments->options.split_input_file = true; return 0;
  case VERIFY: arguments->options.verify_diagnostics = true; return 0;
  case LOCATIONS: arguments->options.print_locations = true; return 0;
  case IRDL: arguments->irdl = true; return 0;
  case OUTPUT: arguments->output = value; return 0;
  case ARGP_KEY_ARG:
    if (arguments->options.file) return ARGP_ERR_UNKNOWN;
    arguments->options.file = value;
    return 0;
  default: return parse_pass(key, value, state);
  }
}

static char *read_file(const char *path) {
  FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
  if (!file) return NULL;
  char *text = NULL;
  size_t length;
  FILE *stream = open_memstream(&text, &length);
  char buffer[65536];
  for (size_t n; stream && (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
    fwrite(buffer, 1, n, stream);
  if (stream) fclose(stream);
  if (file != stdin) fclose(file);
  return text;
}

static int run(Arguments *arguments, FILE *out) {
  if (arguments->irdl) {
    MlirStringRef irdl = dsp_dialect_irdl();
    return fwrite(irdl.data, 1, irdl.length, out) == irdl.length ? 0 : 1;
  }
  if (!arguments->options.file) arguments->options.file = "-";
  char *text = read_file(arguments->options.file);
  if (!text) {
    fprintf(stderr, "dsp-opt: ");
    perror(arguments->options.file);
    return 1;
  }
  bool fine = dsp_opt_run(&arguments->options, text, out, stderr);
  free(text);
  return fine ? 0 : 1;
}

int main(int argc, char **argv) {
  struct argp_option table[MAX_OPTIONS];
  fill_options(table);
  const struct argp parser = {
      table,
      parse_option,
      "[FILE]",
      "Run passes over a .mlir file of the dsp dialect and print the result.",
      NULL,
      NULL,
      NULL};
  Arguments arguments = {.output = NULL};
  argp_parse(&parser, argc, argv, ARGP_LONG_ONLY, NULL, &arguments);
  FILE *out = arguments.output ? fopen(arguments.output, "wb") : stdout;
  if (!out) {
    perror(arguments.output);
    return 1;
  }
  int code = run(&arguments, out);
  dsp_opt_release(&arguments.options);
  if (fflush(out) != 0) code = 1;
  return code;
}
