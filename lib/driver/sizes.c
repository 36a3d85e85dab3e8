// sizes.c - what -D sets: one NAME=VALUE, or those of a file of sizes.
#include "sizes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BYTES = 65536 };

static const char *say(DspArena *arena, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *text = dsp_arena_alloc(arena, (size_t)length + 1);
  va_start(args, format);
  vsnprintf(text, (size_t)length + 1, format, args);
  va_end(args);
  return text;
}

/// The place of `name` from the other source (a file, or the command line).
static size_t find_other(const DspOptions *options, DspStr name, bool in_file) {
  size_t i = 0;
  while (i < options->ndefines &&
         (options->in_file[i] == in_file ||
          !dsp_str_equal(options->defines[i].name, name)))
    i++;
  return i;
}

static const char *add(DspArena *arena, DspOptions *options, const char *word,
                       bool in_file) {
  const char *equals = strchr(word, '=');
  if (!equals || equals == word)
    return say(arena, "-D %s: write NAME=VALUE", word);
  DspStr name = {word, (size_t)(equals - word)};
  size_t other = find_other(options, name, in_file), place = options->ndefines;
  if (other < options->ndefines) {
    if (in_file) return NULL;
    place = other;
  } else if (options->ndefines == DSP_MAX_DEFINES) {
    return say(arena, "more than %d definitions", DSP_MAX_DEFINES);
  } else {
    options->ndefines++;
  }
  options->defines[place] = (DspDefine){name, dsp_str(equals + 1)};
  options->in_file[place] = in_file;
  return NULL;
}

/// The text of a file, or NULL and what is wrong.
static char *read_text(DspArena *arena, const char *name, const char **wrong) {
  char *text = dsp_arena_alloc(arena, MAX_BYTES + 1);
  FILE *file = fopen(name, "rb");
  size_t length = file ? fread(text, 1, MAX_BYTES + 1, file) : 0;
  if (!file || ferror(file))
    *wrong = say(arena, "-D @%s: cannot read it: %s", name, strerror(errno));
  else if (length > MAX_BYTES || memchr(text, '\0', length))
    *wrong = say(arena, "-D @%s: this is no file of NAME=VALUE", name);
  if (file) fclose(file);
  if (*wrong) return NULL;
  text[length] = '\0';
  return text;
}

static void drop_comments(char *text) {
  for (char *at = text; (at = strstr(at, "//"));)
    while (*at && *at != '\n') *at++ = ' ';
}

const char *dsp_define(DspArena *arena, DspOptions *options, const char *arg) {
  if (arg[0] != '@') return add(arena, options, arg, false);
  const char *wrong = NULL;
  char *text = read_text(arena, arg + 1, &wrong), *rest;
  if (!text) return wrong;
  drop_comments(text);
  for (char *word = strtok_r(text, " \t\r\n", &rest); word && !wrong;
       word = strtok_r(NULL, " \t\r\n", &rest))
    wrong = add(arena, options, word, true);
  return wrong;
}
