// options.c - the command line that all programs share.
//
// Needs:  argp of the GNU C library.
// Leaves: options that fit together: a source of weights and of inputs, when
//         the program has any.
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  KEY_RANDOM_WEIGHTS = 256,
  KEY_RANDOM_INPUT,
  KEY_VERIFY,
  KEY_TOLERANCE,
  KEY_BENCH,
  KEY_PROFILE,
  KEY_STATS,
  KEY_JSON,
  KEY_ALLOW_EXTRA,
  KEY_TF32,
  KEY_VERSION,
  KEY_USAGE,
};

static const struct argp_option table[] = {
    {.doc = "What goes in:", .group = 1},
    {"weights", 'w', "FILE", 0,
     "parameters (safetensors, or the index.json of several files)", 1},
    {"random-weights", KEY_RANDOM_WEIGHTS, "SEED", 0,
     "random parameters, the same for any number of ranks", 1},
    {"input", 'i', "FILE", 0, "inputs (safetensors)", 1},
    {"random-input", KEY_RANDOM_INPUT, "SEED", 0, "random inputs", 1},
    {"allow-extra", KEY_ALLOW_EXTRA, NULL, 0,
     "ignore tensors of FILE that the program does not know", 1},
    {.doc = "What comes out:", .group = 2},
    {"output", 'o', "FILE", 0, "write the outputs (safetensors)", 2},
    {"verify", KEY_VERIFY, "FILE", 0,
     "compare the outputs with those of FILE; exit 1 when they differ", 2},
    {"tolerance", KEY_TOLERANCE, "X", 0,
     "largest error, relative to the largest expected value of a tensor "
     "(default: 1e-4)",
     2},
    {"bench", KEY_BENCH, "K", 0, "time K more forward passes", 2},
    {"profile", KEY_PROFILE, "FILE", 0,
     "write a trace of one more pass (JSON, for ui.perfetto.dev) and print "
     "where its time goes",
     2},
    {"stats", KEY_STATS, "FILE", 0,
     "write ranks, bytes, memory and times (JSON)", 2},
    {"json", KEY_JSON, NULL, 0, "print them instead of the report", 2},
    {.doc = "How it computes:", .group = 3},
    {"tf32", KEY_TF32, NULL, 0,
     "GPUs: products of f32 round what they multiply to TF32, 10 bits, which "
     "is several times faster",
     3},
    {.doc = "Other:", .group = -1},
    {"version", KEY_VERSION, NULL, 0, "say what this program is", -1},
    {"help", 'h', NULL, 0, "show this", -1},
    {"usage", KEY_USAGE, NULL, 0, "show all options in short", -1},
    {0},
};

typedef struct Parse {
  DsprtOptions *options;
  const DsprtProgram *program;
  bool help, usage, version, wrong;
} Parse;

static void read_seed(struct argp_state *state, char *text, uint64_t *seed,
                      bool *given) {
  char *end;
  errno = 0;
  *seed = strtoull(text, &end, 10);
  *given = true;
  if (errno || *end || end == text || *text == '-')
    argp_error(state, "'%s' is no seed: give a whole number", text);
  else
    return;
  ((Parse *)state->input)->wrong = true;
}

static void read_count(struct argp_state *state, char *text, int *count) {
  char *end;
  long n = strtol(text, &end, 10);
  *count = (int)n;
  if (*end == '\0' && end != text && n >= 1 && n <= 1000000) return;
  argp_error(state, "'%s' is no number of passes: 1 to 1000000", text);
  ((Parse *)state->input)->wrong = true;
}

static void read_tolerance(struct argp_state *state, char *text, double *x) {
  char *end;
  *x = strtod(text, &end);
  if (*end == '\0' && end != text && *x >= 0) return;
  argp_error(state, "'%s' is no tolerance", text);
  ((Parse *)state->input)->wrong = true;
}

static void check_sources(struct argp_state *state) {
  Parse *p = state->input;
  const DsprtOptions *o = p->options;
  if (p->help || p->usage || p->version || p->wrong) return;
  p->wrong = true;
  if (p->program->nparams && !o->weights && !o->random_weights)
    argp_error(state, "no weights: --weights FILE or --random-weights SEED");
  else if (p->program->ninputs && !o->input && !o->random_input)
    argp_error(state, "no input: --input FILE or --random-input SEED");
  else if (o->weights && o->random_weights)
    argp_error(state, "--weights and --random-weights: give one");
  else if (o->input && o->random_input)
    argp_error(state, "--input and --random-input: give one");
  else
    p->wrong = false;
}

static error_t on_key(int key, char *arg, struct argp_state *state) {
  Parse *p = state->input;
  DsprtOptions *o = p->options;
  switch (key) {
  case 'w': o->weights = arg; break;
  case 'i': o->input = arg; break;
  case 'o': o->output = arg; break;
  case KEY_VERIFY: o->verify = arg; break;
  case KEY_STATS: o->stats = arg; break;
  case KEY_PROFILE: o->profile = arg; break;
  case KEY_JSON: o->json = true; break;
  case KEY_TF32: o->tf32 = true; break;
  case KEY_ALLOW_EXTRA: o->allow_extra = true; break;
  case KEY_VERSION: p->version = true; break;
  case KEY_USAGE: p->usage = true; break;
  case 'h': p->help = true; break;
  case KEY_BENCH: read_count(state, arg, &o->bench); break;
  case KEY_TOLERANCE: read_tolerance(state, arg, &o->tolerance); break;
  case KEY_RANDOM_WEIGHTS:
    read_seed(state, arg, &o->weights_seed, &o->random_weights);
    break;
  case KEY_RANDOM_INPUT:
    read_seed(state, arg, &o->input_seed, &o->random_input);
    break;
  case ARGP_KEY_ARG:
    argp_error(state, "'%s': only options are understood", arg);
    p->wrong = true;
    break;
  case ARGP_KEY_END: check_sources(state); break;
  default: return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

static void describe(const DsprtProgram *program, char *text, size_t room) {
  snprintf(text, room,
           "%s on %d rank%s: mpirun -n %d PROGRAM ...\vCompiled by dspc from "
           "%s.  Every tensor that goes in or out is found by its name.",
           program->model, program->ranks, program->ranks == 1 ? "" : "s",
           program->ranks, program->source);
}

static void print_version(const DsprtProgram *program) {
  printf("%s, compiled by dspc from %s for %d rank%s, runtime %s\n",
         program->model, program->source, program->ranks,
         program->ranks == 1 ? "" : "s", DSPRT_VERSION);
}

DsprtOptionsResult dsprt_options_read(DsprtOptions *options, int argc,
                                      char **argv, const DsprtProgram *program,
                                      bool loud) {
  char doc[1024];
  describe(program, doc, sizeof doc);
  struct argp argp = {.options = table, .parser = on_key, .doc = doc};
  *options = (DsprtOptions){.tolerance = 1e-4};
  Parse p = {.options = options, .program = program};
  unsigned flags = ARGP_NO_EXIT | ARGP_NO_HELP | (loud ? 0 : ARGP_NO_ERRS);
  error_t error = argp_parse(&argp, argc, argv, flags, NULL, &p);
  if (error || p.wrong) return DSPRT_OPTIONS_WRONG;
  if (loud && p.version) print_version(program);
  if (loud && p.help) argp_help(&argp, stdout, ARGP_HELP_STD_HELP, argv[0]);
  if (loud && p.usage) argp_help(&argp, stdout, ARGP_HELP_USAGE, argv[0]);
  return p.help || p.usage || p.version ? DSPRT_OPTIONS_DONE
                                        : DSPRT_OPTIONS_RUN;
}
