// options.c - the command line of dspc.
#include "options.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "sizes.h"

enum { EMIT = 256, ALLOW, DUMP, EXPLAIN, DIAGNOSTICS, TARGET, PLAN, MESH,
       TOPOLOGY, OBJECTIVE, WHY, JSON, MEMORY, MAX_RANKS };

const char *argp_program_version = "dspc " DSP_VERSION;

static const struct argp_option known[] = {
    {"ranks", 'n', "N", 0, "compile for N ranks (default 1)", 0},
    {"mesh", MESH, "AXES", 0,
     "ranks on one axis or two, outermost first: 4, 2x4, nodes:2,gpus:4; an "
     "axis called nodes lies between nodes", 0},
    {"output", 'o', "FILE", 0, "the program (default: the model's name)", 0},
    {"define", 'D', "NAME=VALUE", 0,
     "override a dim's size, a const or a type; @FILE: those in FILE", 0},
    {"emit", EMIT, "FORM", 0,
     "print a form (to -o FILE if given) and stop: tokens, ast, model, "
     "tensors, dsp, planned, lowered, c, cuda, plan; or write a folder -o DIR "
     "that builds without dspc: project", 0},
    {"dump-dir", DUMP, "DIR", 0, "write the module after each pass to DIR", 0},
    {"allow", ALLOW, "tensor", 0, "weights may be cut too", 0},
    {"plan", PLAN, "METHOD", 0,
     "which plans to search: auto (all, the default), dsp, ulysses, "
     "megatron-sp, ring, data", 0},
    {"objective", OBJECTIVE, "volume|time", 0,
     "fewest bytes (the default), or least modelled time", 0},
    {"topology", TOPOLOGY, "NAME|FILE", 0,
     "the machine of the time model: h100x8 (the default), h200x4, "
     "a100-ethernet, cpu, or a JSON file", 0},
    {"memory", MEMORY, "SIZE", 0,
     "what a rank has, such as 80GiB: the cheapest plan that fits, or an error "
     "that says what is short", 0},
    {"why", WHY, "STAGE", 0,
     "what each other dim for a stage would cost in all", 0},
    {"json", JSON, 0, 0, "print JSON, for programs", 0},
    {"max-ranks", MAX_RANKS, "N", 0,
     "look at up to N ranks (default 64)", 0},
    {"target", TARGET, "cpu|cuda", 0,
     "what to compile for: cpu (MPI ranks) or cuda (a GPU a rank)", 0},
    {"diagnostics", DIAGNOSTICS, "text|json", 0, "the form of errors", 0},
    {"explain", EXPLAIN, "ID", 0, "say what an error like E0301 means", 0},
    {0}};

/// What an option is for that `command` does not take; NULL: it takes it.
static const char *only_for(DspCommand command, int key) {
  bool plan = command == DSP_COMMAND_PLAN;
  bool advise = command == DSP_COMMAND_ADVISE;
  switch (key) {
  case EMIT:
  case DUMP:
  case EXPLAIN:
    return plan || advise ? "compiling, not for plan and advise" : NULL;
  case WHY: return plan ? NULL : "dspc plan";
  case JSON: return plan || advise ? NULL : "dspc plan and dspc advise";
  case MAX_RANKS: return advise ? NULL : "dspc advise";
  case 'n':
    return advise ? "compiling and dspc plan; advise takes --max-ranks" : NULL;
  default: return NULL;
  }
}

static const char *name_of(int key) {
  const struct argp_option *option = known;
  while (option->key != key) option++;
  return option->name;
}

static const struct {
  const char *name;
  DspForm form;
} forms[] = {{"tokens", DSP_FORM_TOKENS},   {"ast", DSP_FORM_AST},
             {"model", DSP_FORM_MODEL},     {"tensors", DSP_FORM_TENSORS},
             {"dsp", DSP_FORM_DSP},         {"planned", DSP_FORM_PLANNED},
             {"lowered", DSP_FORM_LOWERED}, {"c", DSP_FORM_C},
             {"plan", DSP_FORM_PLAN},       {"cuda", DSP_FORM_CUDA},
             {"project", DSP_FORM_PROJECT}};

static void read_form(const char *arg, DspOptions *options,
                      struct argp_state *state) {
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
    if (strcmp(forms[i].name, arg) == 0) {
      options->form = forms[i].form;
      return;
    }
  argp_error(state,
             "--emit=%s: the forms are tokens, ast, model, tensors, dsp, "
             "planned, lowered, c, cuda, plan, project",
             arg);
}

static void read_define(const char *arg, DspOptions *options,
                        struct argp_state *state) {
  const char *wrong = dsp_define(options->arena, options, arg);
  if (wrong) argp_error(state, "%s", wrong);
}

static void read_ranks(const char *arg, DspOptions *options,
                       struct argp_state *state) {
  char *end;
  int64_t ranks = strtoll(arg, &end, 10);
  if (*end || ranks < 1 || ranks > DSP_PLAN_MOST_RANKS)
    argp_error(state, "-n %s: the number of ranks is 1 to 4096", arg);
  options->mesh = dsp_plan_mesh(ranks);
}

/// "80GiB", "80GB", "512MiB" or bytes.
static void read_memory(const char *arg, DspOptions *options,
                        struct argp_state *state) {
  static const struct {
    const char *name;
    double bytes;
  } units[] = {{"", 1},      {"B", 1},
               {"KB", 1e3},  {"KiB", 1024.0},
               {"MB", 1e6},  {"MiB", 1024.0 * 1024},
               {"GB", 1e9},  {"GiB", 1024.0 * 1024 * 1024},
               {"TB", 1e12}, {"TiB", 1024.0 * 1024 * 1024 * 1024}};
  char *end;
  double size = strtod(arg, &end);
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
    if (strcmp(end, units[i].name) == 0 && size > 0 &&
        size * units[i].bytes < 1e18)
      options->memory = (int64_t)(size * units[i].bytes);
  if (options->memory <= 0)
    argp_error(state, "--memory=%s: write a size such as 80GiB", arg);
}

static int64_t read_number(const char *arg, const char *option, int64_t least,
                           struct argp_state *state) {
  char *end;
  int64_t number = strtoll(arg, &end, 10);
  if (*end || end == arg || number < least || number > 4096)
    argp_error(state, "--%s=%s: a number from %d to 4096", option, arg,
               (int)least);
  return number;
}

static void read_mesh(const char *arg, DspOptions *options,
                      struct argp_state *state) {
  if (!dsp_plan_mesh_read(arg, &options->mesh))
    argp_error(state,
               "--mesh=%s: write one axis or two, such as 4, 2x4 or "
               "nodes:2,gpus:4, with two names that differ and at most 4096 "
               "ranks in all",
               arg);
}

static void read_objective(const char *arg, DspOptions *options,
                           struct argp_state *state) {
  if (strcmp(arg, "volume") && strcmp(arg, "time"))
    argp_error(state, "--objective=%s: the objectives are volume and time",
               arg);
  options->by_time = strcmp(arg, "time") == 0;
}

static void check_all(DspOptions *options, struct argp_state *state) {
  if (options->form == DSP_FORM_PROJECT && !options->output)
    argp_error(state, "--emit=project: name the folder with -o DIR");
  if (options->form == DSP_FORM_CUDA && options->target != DSP_TARGET_CUDA)
    argp_error(state, "--emit=cuda: add --target=cuda");
  if (!options->input && !options->explain)
    argp_error(state, "no model: name a .dsp file");
}

static error_t read_option(int key, char *arg, struct argp_state *state) {
  DspOptions *options = state->input;
  const char *only = only_for(options->command, key);
  if (only) argp_error(state, "--%s is for %s", name_of(key), only);
  switch (key) {
  case 'n': read_ranks(arg, options, state); break;
  case 'o': options->output = arg; break;
  case 'D': read_define(arg, options, state); break;
  case EMIT: read_form(arg, options, state); break;
  case DUMP: options->dump_dir = arg; break;
  case EXPLAIN: options->explain = arg; break;
  case ALLOW:
    if (strcmp(arg, "tensor")) argp_error(state, "--allow takes 'tensor'");
    options->allow_tensor = true;
    break;
  case PLAN:
    if (!dsp_plan_method_find(arg, &options->method))
      argp_error(state, "--plan=%s: the methods are auto, dsp, ulysses, "
                        "megatron-sp, ring, data", arg);
    break;
  case MESH: read_mesh(arg, options, state); break;
  case TOPOLOGY: options->topology = arg; break;
  case OBJECTIVE: read_objective(arg, options, state); break;
  case MEMORY: read_memory(arg, options, state); break;
  case WHY: options->why = read_number(arg, "why", 0, state); break;
  case JSON: options->json = true; break;
  case MAX_RANKS:
    options->max_ranks = read_number(arg, "max-ranks", 1, state);
    break;
  case TARGET:
    if (strcmp(arg, "cpu") && strcmp(arg, "cuda"))
      argp_error(state, "--target=%s: the targets are cpu and cuda", arg);
    options->target =
        strcmp(arg, "cuda") == 0 ? DSP_TARGET_CUDA : DSP_TARGET_CPU;
    break;
  case DIAGNOSTICS:
    if (strcmp(arg, "json") && strcmp(arg, "text"))
      argp_error(state, "--diagnostics takes 'text' or 'json'");
    options->json_diagnostics = strcmp(arg, "json") == 0;
    break;
  case ARGP_KEY_ARG:
    if (options->input) argp_error(state, "one model at a time");
    options->input = arg;
    break;
  case ARGP_KEY_END: check_all(options, state); break;
  default: return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

/// Takes "plan" or "advise" from the front of the command line.
static DspCommand take_command(int *argc, char ***argv) {
  static const char *const names[] = {NULL, "plan", "advise"};
  for (int i = DSP_COMMAND_PLAN; i <= DSP_COMMAND_ADVISE; i++)
    if (*argc > 1 && strcmp((*argv)[1], names[i]) == 0) {
      (*argv)[1] = (*argv)[0];
      --*argc;
      ++*argv;
      return (DspCommand)i;
    }
  return DSP_COMMAND_COMPILE;
}

static const struct {
  const char *name, *doc;
} commands[] = {
    [DSP_COMMAND_COMPILE] =
        {NULL, "Compiles a transformer written with named dims into a program "
               "for several ranks that moves the fewest bytes.\v"
               "dspc plan MODEL.dsp shows the plan; dspc advise MODEL.dsp "
               "compares numbers of ranks.  Each has a --help of its own."},
    [DSP_COMMAND_PLAN] =
        {"dspc plan", "Shows the plan: what each stage is cut on, what moves "
                      "and why, and what other methods would move."},
    [DSP_COMMAND_ADVISE] =
        {"dspc advise", "Compares numbers of ranks: what moves, the modelled "
                        "time and the memory of each."},
};

void dsp_options_parse(int argc, char **argv, DspArena *arena,
                       DspOptions *options) {
  struct argp_option shown[sizeof known / sizeof known[0]];
  struct argp parser = {.options = shown,
                        .parser = read_option,
                        .args_doc = "MODEL.dsp"};
  argp_err_exit_status = 1;
  *options = (DspOptions){.arena = arena,
                          .mesh = dsp_plan_mesh(1),
                          .why = -1,
                          .max_ranks = 64};
  options->command = take_command(&argc, &argv);
  if (options->command != DSP_COMMAND_COMPILE) options->form = DSP_FORM_PLAN;
  memcpy(shown, known, sizeof shown);
  for (struct argp_option *option = shown; option->name; option++)
    if (only_for(options->command, option->key)) option->flags |= OPTION_HIDDEN;
  const char *name = commands[options->command].name;
  if (name)
    argv[0] = strcpy(dsp_arena_alloc(arena, strlen(name) + 1), name);
  parser.doc = commands[options->command].doc;
  argp_parse(&parser, argc, argv, 0, NULL, options);
}
