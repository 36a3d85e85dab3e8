// names.c - C identifiers from the user's names, each once per scope.
#include "names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/// Words that a variable of emitted code cannot have: C, and the macros of the
/// standard headers that dsprt.h includes.
static const char *const reserved[] = {
    "auto",     "break",    "case",        "char",    "const",     "continue",
    "default",  "do",       "double",      "else",    "enum",      "extern",
    "float",    "for",      "goto",        "if",      "inline",    "int",
    "long",     "register", "restrict",    "return",  "short",     "signed",
    "sizeof",   "static",   "struct",      "switch",  "typedef",   "union",
    "unsigned", "void",     "volatile",    "while",   "asm",       "typeof",
    "bool",     "true",     "false",       "NULL",    "I",         "errno",
    "main",     "stdin",    "stdout",      "stderr",  "assert",    "linux",
    "unix",     "EOF",      "INFINITY",    "NAN",     "M_PI",      "alignas",
    "alignof",  "offsetof", "exp",         "log",     "sqrt",      "tanh",
    "erf",      "pow",      "sin",         "cos",     "y0",        "y1",
    "yn",       "j0",       "j1",          "jn",      "gamma",     "index",
    "div",      "abs",      "time",        "clock",   "signal",    "program",
    "params",   "inputs",   "outputs",     "forward", "run",       "weights",
    "frame",    "arena",    "w",           "Weights", "predicted", "acos",
    "asin",     "atan",     "cosh",        "sinh",    "tan",       "ceil",
    "floor",    "round",    "trunc",       "rint",    "fabs",      "fmax",
    "fmin",     "fma",      "fmod",        "hypot",   "cbrt",      "exp2",
    "expm1",    "log2",     "log10",       "log1p",   "logb",      "erfc",
    "lgamma",   "tgamma",   "modf",        "nan",     "remainder", "exit",
    "abort",    "free",     "malloc",      "calloc",  "printf",    "puts",
    "new",      "delete",   "class",       "this",    "template",  "typename",
    "operator", "private",  "public",      "friend",  "namespace", "using",
    "virtual",  "throw",    "try",         "catch",   "explicit",  "and",
    "or",       "not",      "xor",         "export",  "mutable",   "constexpr",
    "scalb",    "drem",     "significand", "row",     "Attention",
    "q_rows",   "k_rows",      "q_from",  "k_from",    "v_from",
};

static bool is_reserved(const char *name) {
  for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
    if (strcmp(reserved[i], name) == 0) return true;
  return strncmp(name, "dsprt", 5) == 0 || strncmp(name, "DSPRT", 5) == 0 ||
         strncmp(name, "Dsprt", 5) == 0 || strncmp(name, "MPI_", 4) == 0 ||
         name[0] == '_';
}

DspNames dsp_names(DspArena *arena, const DspNames *parent) {
  return (DspNames){.arena = arena, .parent = parent};
}

bool dsp_name_is_used(const DspNames *names, const char *name) {
  for (; names; names = names->parent)
    for (size_t i = 0; i < names->count; i++)
      if (strcmp(names->used[i], name) == 0) return true;
  return false;
}

static void use(DspNames *names, const char *name) {
  if (names->count == names->capacity) {
    size_t capacity = names->capacity ? 2 * names->capacity : 32;
    const char **used = dsp_arena_alloc(names->arena, capacity * sizeof *used);
    if (names->count) memcpy(used, names->used, names->count * sizeof *used);
    names->used = used;
    names->capacity = capacity;
  }
  names->used[names->count++] = name;
}

const char *dsp_name(DspNames *names, MlirStringRef wish) {
  size_t limit = wish.length + 16, n = 0;
  char *out = dsp_arena_alloc(names->arena, limit);
  if (!wish.length || isdigit((unsigned char)wish.data[0])) out[n++] = 'v';
  for (size_t i = 0; i < wish.length; i++) {
    char c = wish.data[i];
    out[n++] = isalnum((unsigned char)c) ? c : '_';
  }
  out[n] = '\0';
  if (is_reserved(out)) {
    out[n++] = '_';
    out[n] = '\0';
    if (out[0] == '_') memmove(out + 1, out, n + 1), out[0] = 'v', n++;
  }
  for (int copy = 2; dsp_name_is_used(names, out); copy++)
    snprintf(out + n, limit - n, "_%d", copy);
  use(names, out);
  return out;
}

const char *dsp_name_c(DspNames *names, const char *wish) {
  return dsp_name(names, mlirStringRefCreateFromCString(wish));
}
