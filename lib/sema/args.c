// args.c - the arguments of built-in ops.
#include "ops.h"

DspResult dsp_args_wrong(DspSema *s, const DspArgs *args) {
  DspDiag *diag = dsp_sema_error(s, DSP_E0402, args->call->range,
                                 "wrong arguments for '%s'", args->rule->name);
  dsp_help(s->diags, diag, "write %s", args->rule->usage);
  return dsp_op_failed();
}

/// `what` that this op does not take.
static bool not_taken(DspSema *s, const DspArgs *args, const DspExpr *arg,
                      const char *what) {
  DspDiag *diag = dsp_sema_error(s, DSP_E0402, arg->range, "'%s' takes no %s",
                                 args->rule->name, what);
  dsp_help(s->diags, diag, "write %s", args->rule->usage);
  return false;
}

static bool given_twice(DspSema *s, const DspArgs *args, const DspExpr *arg,
                        const DspExpr *first, const char *what) {
  DspDiag *diag =
      dsp_sema_error(s, DSP_E0402, arg->range, "%s is given twice", what);
  dsp_note(s->diags, diag, first->range, "the first one is here");
  dsp_help(s->diags, diag, "write %s", args->rule->usage);
  return false;
}

/// "'dot:', 'scale:' and 'bias:'"
static DspStr option_names(DspSema *s, const char *const *names) {
  DspStr text = dsp_str("");
  for (size_t i = 0; i < DSP_OP_OPTIONS && names[i]; i++) {
    bool last = i + 1 == DSP_OP_OPTIONS || !names[i + 1];
    text = dsp_sema_text(s, "%.*s%s'%s:'", DSP_FMT(text),
                         i == 0 ? "" : last ? " and " : ", ", names[i]);
  }
  return text;
}

static bool collect_option(DspSema *s, DspArgs *args, const DspExpr *arg) {
  DspStr name = arg->name.text;
  const char *const *has = args->rule->options;
  bool known = false;
  for (size_t i = 0; i < DSP_OP_OPTIONS; i++)
    known |= has[i] && dsp_str_equal_c(name, has[i]);
  if (!known) {
    DspDiag *diag = dsp_sema_error(s, DSP_E0402, arg->range,
                                   "'%s' has no argument called '%.*s'",
                                   args->rule->name, DSP_FMT(name));
    DspStr names = option_names(s, has);
    if (has[0]) dsp_help(s->diags, diag, "it has %.*s", DSP_FMT(names));
    return false;
  }
  for (size_t i = 0; i < args->nnamed; i++)
    if (dsp_str_equal(args->named[i]->name.text, name))
      return given_twice(s, args, arg, args->named[i],
                         dsp_sema_text(s, "'%.*s:'", DSP_FMT(name)).data);
  args->named[args->nnamed++] = arg;
  return true;
}

/// One of the kinds that an op takes at most once.
static bool collect_once(DspSema *s, const DspArgs *args, const DspExpr *arg,
                         unsigned kind, const char *what, const DspExpr **place,
                         const DspExpr *content) {
  if (!((args->rule->needs | args->rule->takes) & kind))
    return not_taken(s, args, arg, what);
  if (*place)
    return given_twice(s, args, arg, *place,
                       kind == DSP_ARG_PATH ? "a path" : what);
  *place = content;
  return true;
}

static bool collect_one(DspSema *s, DspArgs *args, const DspExpr *arg) {
  switch (arg->kind) {
  case DSP_EXPR_OVER:
    return collect_once(s, args, arg, DSP_ARG_OVER, "'over'", &args->over,
                        arg->items[0]);
  case DSP_EXPR_ARROW:
    return collect_once(s, args, arg, DSP_ARG_ARROW, "'->'", &args->arrow, arg);
  case DSP_EXPR_STRING:
    return collect_once(s, args, arg, DSP_ARG_PATH, "path", &args->path, arg);
  case DSP_EXPR_NAMED: return collect_option(s, args, arg);
  default:
    if (args->nplain == args->rule->most)
      return not_taken(s, args, arg, "further argument");
    args->plain[args->nplain++] = arg;
    return true;
  }
}

bool dsp_args_collect(DspSema *s, const DspExpr *call, const DspOpRule *rule,
                      DspArgs *args) {
  *args = (DspArgs){.call = call, .rule = rule};
  for (size_t i = 0; i < call->nitems; i++)
    if (!collect_one(s, args, call->items[i])) return false;
  if (call->path) {
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0402, call->path->range,
        "'at' belongs to blocks and repeats, not to op '%s'", rule->name);
    dsp_help(s->diags, diag, "write %s", rule->usage);
    return false;
  }
  bool complete = args->nplain >= rule->fewest &&
                  (args->over || !(rule->needs & DSP_ARG_OVER)) &&
                  (args->arrow || !(rule->needs & DSP_ARG_ARROW)) &&
                  (args->path || !(rule->needs & DSP_ARG_PATH));
  if (!complete) dsp_args_wrong(s, args);
  return complete;
}

const DspExpr *dsp_args_named(const DspArgs *args, const char *name) {
  for (size_t i = 0; i < args->nnamed; i++)
    if (dsp_str_equal_c(args->named[i]->name.text, name))
      return args->named[i]->items[0];
  return NULL;
}

bool dsp_args_number(DspSema *s, const DspArgs *args, const char *name,
                     double *number) {
  const DspExpr *expr = dsp_args_named(args, name);
  return !expr || dsp_eval_number(s, expr, number);
}

bool dsp_args_need_dims(DspSema *s, const DspArgs *args, DspRange range,
                        uint32_t value, const DspAtoms *dims) {
  const DspAtoms *atoms = &dsp_type_of(s, value)->atoms;
  for (size_t i = 0; i < dims->count; i++) {
    if (dsp_atoms_find(atoms, dims->ids[i]) >= 0) continue;
    DspStr text = dsp_atoms_text(s, atoms);
    DspStr atom = dsp_atom_text(s, dims->ids[i]);
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0403, range, "'%s' needs %.*s, the value has dims %.*s",
        args->rule->name, DSP_FMT(atom), DSP_FMT(text));
    dsp_note_atom(s, diag, dims->ids[i]);
    return false;
  }
  return true;
}

bool dsp_args_dims(DspSema *s, const DspArgs *args, const DspExpr *expr,
                   uint32_t value, DspAtoms *dims, int64_t *file,
                   size_t *nfile) {
  if (!dsp_read_dims(s, expr, dims, file, nfile)) return false;
  if (dims->count && value == DSP_NONE) return true;
  if (dims->count) return dsp_args_need_dims(s, args, expr->range, value, dims);
  dsp_sema_error(s, DSP_E0402, expr->range, "'%s' needs a dim here, not just 1",
                 args->rule->name);
  return false;
}
