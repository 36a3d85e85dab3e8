// names.c - C identifiers from the user's names, each once per scope.
#include "names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/// Words that a variable of emitted code cannot have: C, the macros of the
/// standard headers that dsprt.h includes, and the variables that the emitter
/// itself declares inside functions, which would hide a dim of that name.
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
    "scalb",    "drem",     "significand", "at",      "chunk",     "lane",
    "result",   "row",      "threads",     "total",   "elements",  "Attention",
    "q_rows",   "k_rows",   "q_from",      "k_from",  "v_from",
};

/// Words that a dim, a constant of the whole program, cannot have beside these:
/// functions and types of the standard headers and of CUDA.  A variable inside
/// a function may hide them.
static const char *const taken[] = {
    "all",       "any",    "ballot", "char1",    "char2",   "char3",
    "char4",     "cospi",  "dim3",   "double1",  "double2", "double3",
    "double4",   "fdim",   "finite", "float1",   "float2",  "float3",
    "float4",    "frexp",  "int1",   "int2",     "int3",    "int4",
    "ldexp",     "long1",  "long2",  "long3",    "long4",   "lrint",
    "lround",    "max",    "memcmp", "memcpy",   "memmove", "memset",
    "min",       "norm",   "norm3d", "norm4d",   "nullptr", "noexcept",
    "protected", "rand",   "random", "rsqrt",    "scalbn",  "select",
    "short1",    "short2", "short3", "short4",   "sincos",  "sinpi",
    "std",       "strlen", "system", "timezone", "uint",    "ulong",
    "ushort",
};

static bool is_reserved(const char *name, bool of_dim) {
  for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
    if (strcmp(reserved[i], name) == 0) return true;
  for (size_t i = 0; of_dim && i < sizeof taken / sizeof taken[0]; i++)
    if (strcmp(taken[i], name) == 0) return true;
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

static const char *name_for(DspNames *names, MlirStringRef wish, bool of_dim) {
  size_t limit = wish.length + 16, n = 0;
  char *out = dsp_arena_alloc(names->arena, limit);
  if (!wish.length || isdigit((unsigned char)wish.data[0])) out[n++] = 'v';
  for (size_t i = 0; i < wish.length; i++) {
    char c = wish.data[i];
    out[n++] = isalnum((unsigned char)c) ? c : '_';
  }
  out[n] = '\0';
  if (is_reserved(out, of_dim)) {
    out[n++] = '_';
    out[n] = '\0';
    if (out[0] == '_') memmove(out + 1, out, n + 1), out[0] = 'v', n++;
  }
  for (int copy = 2; dsp_name_is_used(names, out); copy++)
    snprintf(out + n, limit - n, "_%d", copy);
  use(names, out);
  return out;
}

const char *dsp_name(DspNames *names, MlirStringRef wish) {
  return name_for(names, wish, false);
}

const char *dsp_name_dim(DspNames *names, MlirStringRef wish) {
  return name_for(names, wish, true);
}

const char *dsp_name_c(DspNames *names, const char *wish) {
  return dsp_name(names, mlirStringRefCreateFromCString(wish));
}
