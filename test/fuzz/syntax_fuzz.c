// syntax_fuzz.c - any bytes go through lexer, parser and sema without a crash;
// a file without errors prints to text that parses to the same tree.
//
//   fuzz_syntax SEEDS...        mutates the seeds, the same way every time;
//                               DSPC_FUZZ_RUNS inputs (default 20000)
//   DSPC_FUZZ_SEED=7            another sequence
//
// LLVMFuzzerTestOneInput is libFuzzer's entry: built by clang with
// -fsanitize=fuzzer -DDSPC_LIBFUZZER, libFuzzer guides it by coverage.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dspc/sema/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t parsed; ///< inputs without errors of syntax

static char *printed(const DspAst *ast) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (!out) abort();
  dsp_ast_print(ast, out);
  if (fclose(out)) abort();
  return text;
}

static void check_round_trip(DspArena *arena, const DspAst *ast) {
  char *once = printed(ast);
  DspSource source = {"printed", once, strlen(once)};
  DspDiags diags = {.arena = arena, .source = &source};
  DspAst *again = dsp_parse(arena, &source, &diags);
  char *twice = diags.count ? NULL : printed(again);
  if (!twice || strcmp(once, twice) != 0) {
    dsp_diags_print(&diags, stderr);
    fprintf(stderr, "print(parse(x)) parses to another tree:\n%s\n", once);
    abort();
  }
  free(once);
  free(twice);
}

/// A model of more values than this is not expanded: time, not a crash.
enum { LARGEST_REPEAT_DIGITS = 2 };

static bool has_large_number(const uint8_t *data, size_t size) {
  int digits = 0;
  for (size_t i = 0; i < size; i++) {
    digits = data[i] >= '0' && data[i] <= '9' ? digits + 1 : 0;
    if (digits > LARGEST_REPEAT_DIGITS) return true;
  }
  return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  if (!text) abort();
  if (size) memcpy(text, data, size);
  text[size] = '\0';
  DspArena *arena = dsp_arena_create();
  DspSource source = {"fuzz", text, size};
  DspDiags diags = {.arena = arena, .source = &source};
  DspAst *ast = dsp_parse(arena, &source, &diags);
  if (!diags.count) check_round_trip(arena, ast);
  parsed += !diags.count;
  if (!diags.count && !has_large_number(data, size))
    dsp_sema_model(arena, ast, NULL, 0, &diags);
  FILE *nowhere = fopen("/dev/null", "w");
  if (!nowhere) abort();
  dsp_diags_print(&diags, nowhere);
  fclose(nowhere);
  dsp_arena_destroy(arena);
  free(text);
  return 0;
}

#ifndef DSPC_LIBFUZZER

enum { LARGEST = 1 << 16, MOST_SEEDS = 64 };

typedef struct Input {
  uint8_t data[LARGEST];
  size_t size;
} Input;

static uint64_t state;

/// xorshift64*: the same numbers everywhere.
static size_t below(size_t limit) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (size_t)((state * 0x2545F4914F6CDD1Du) >> 33) % (limit ? limit : 1);
}

static const char *const words[] = {
    "model", "dim ",  "const ", "type ", "input ", "output ", "block ", "let ",
    "at ",   "param ", "if ",   "else ", "repeat ", "as ",    "over ",  "pin ",
    "return ", "on ", "->", "{", "}", "(", ")", "[", "]", ",", ";", ":", "=",
    "+", "-", "*", "/", "<", ">", "==", "!=", "<=", ">=", "0", "1", "2", "1e-5",
    "\"", "//", "/*", "*/", "x", "B", "T", "S", "C", "f32", "\xff", "\xc3\xa9",
    "linear(", "attention(", "split(", "concat([", "rearrange(", "mean(",
    "layer_norm(", "gelu(", "\n", " ",
};

static void replace(Input *in, size_t at, size_t removed, const void *text,
                    size_t length) {
  if (at > in->size) at = in->size;
  if (removed > in->size - at) removed = in->size - at;
  if (in->size - removed + length > LARGEST) return;
  memmove(in->data + at + length, in->data + at + removed,
          in->size - at - removed);
  memcpy(in->data + at, text, length);
  in->size += length - removed;
}

static void mutate(Input *in, const Input *other) {
  size_t at = below(in->size + 1);
  const char *word = words[below(sizeof words / sizeof words[0])];
  uint8_t byte = (uint8_t)below(256);
  switch (below(6)) {
  case 0: replace(in, at, 1, &byte, 1); break;
  case 1: replace(in, at, below(20), "", 0); break;
  case 2: replace(in, at, 0, word, strlen(word)); break;
  case 3: replace(in, at, strlen(word), word, strlen(word)); break;
  case 4: { // a piece of the same text, elsewhere
    size_t from = below(in->size), length = below(60);
    uint8_t piece[60];
    if (length > in->size - from) length = in->size - from;
    memcpy(piece, in->data + from, length);
    replace(in, at, 0, piece, length);
    break;
  }
  default: { // a piece of another text
    size_t from = below(other->size), length = below(200);
    if (length > other->size - from) length = other->size - from;
    replace(in, at, below(60), other->data + from, length);
  }
  }
}

static size_t number_of(const char *variable, size_t otherwise) {
  const char *text = getenv(variable);
  return text ? (size_t)strtoull(text, NULL, 10) : otherwise;
}

static void read_seed(const char *name, Input *seed) {
  FILE *file = fopen(name, "rb");
  if (!file) {
    perror(name);
    exit(1);
  }
  seed->size = fread(seed->data, 1, LARGEST, file);
  fclose(file);
}

int main(int argc, char **argv) {
  static Input seeds[MOST_SEEDS], in;
  size_t count = 0, runs = number_of("DSPC_FUZZ_RUNS", 20000);
  for (int i = 1; i < argc && count < MOST_SEEDS; i++)
    read_seed(argv[i], &seeds[count++]);
  if (!count) return fprintf(stderr, "no seeds\n"), 1;
  state = number_of("DSPC_FUZZ_SEED", 20240311) | 1;
  for (size_t i = 0; i < count; i++)
    LLVMFuzzerTestOneInput(seeds[i].data, seeds[i].size);
  for (size_t i = 0; i < runs; i++) {
    in = seeds[below(count)];
    for (size_t n = 1 + below(6); n > 0; n--) mutate(&in, &seeds[below(count)]);
    LLVMFuzzerTestOneInput(in.data, in.size);
  }
  printf("%zu inputs, %zu of them without errors of syntax\n", count + runs,
         parsed);
  if (parsed < runs / 20) return fprintf(stderr, "too few to mean much\n"), 1;
  return 0;
}

#endif
