// text.c - a growing piece of text with indentation.
#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 80 };

static void reserve(DspText *text, size_t more) {
  size_t needed = text->length + more + 1;
  if (needed <= text->capacity) return;
  size_t capacity = text->capacity ? text->capacity : 1024;
  while (capacity < needed) capacity *= 2;
  char *data = realloc(text->data, capacity);
  if (!data) abort();
  text->data = data;
  text->capacity = capacity;
}

static void add(DspText *text, const char *bytes, size_t length) {
  reserve(text, length);
  memcpy(text->data + text->length, bytes, length);
  text->length += length;
  text->data[text->length] = '\0';
}

void dsp_text_v(DspText *text, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, format, args);
  reserve(text, (size_t)length);
  vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
  va_end(again);
  text->length += (size_t)length;
}

void dsp_text(DspText *text, const char *format, ...) {
  va_list args;
  va_start(args, format);
  dsp_text_v(text, format, args);
  va_end(args);
}

static void add_indent(DspText *text, int more) {
  for (int i = 0; i < 2 * text->indent + more; i++) add(text, " ", 1);
}

void dsp_line(DspText *text, const char *format, ...) {
  add_indent(text, 0);
  va_list args;
  va_start(args, format);
  dsp_text_v(text, format, args);
  va_end(args);
  add(text, "\n", 1);
}

/// May a statement go on in the next line behind byte `i`?  2: behind a comma;
/// 1: in front of an operator, or behind '=' or '('.
static int statement_break(const char *line, size_t i) {
  if (line[i] == ',') return 2;
  if (line[i] == '(' || (line[i] == ' ' && i && line[i - 1] == '=')) return 1;
  return line[i] == ' ' && line[i + 1] && strchr("+-*/", line[i + 1]) &&
                 line[i + 2] == ' '
             ? 1
             : 0;
}

static int comment_break(const char *line, size_t i) {
  return line[i] == ' ';
}

/// The length of the prefix of `line` to print: all that fits, else up to the
/// last of the best places to break in the second half of the room; the whole
/// line when it cannot be cut.
static size_t cut(const char *line, size_t room,
                  int (*strength)(const char *, size_t)) {
  size_t length = strlen(line), best = 0;
  if (length <= room) return length;
  int found = 0;
  bool quoted = false; // names of tensors are any text
  for (size_t i = 0; i < room; i++) {
    int now = strength(line, i);
    quoted ^= line[i] == '"';
    if (quoted || !now || (i > room / 2 && now < found)) continue;
    found = i > room / 2 ? now : 0;
    best = i + 1;
  }
  return best ? best : length;
}

/// Prints `line` in pieces; each starts with `prefix`, later ones with
/// `hanging` more spaces.
static void fold(DspText *text, const char *line, const char *prefix,
                 int hanging,
                 int (*strength)(const char *, size_t)) {
  for (int piece = 0; *line; piece++) {
    int more = piece ? hanging : 0;
    size_t used = (size_t)(2 * text->indent + more) + strlen(prefix);
    size_t room = used + 10 < COLUMNS ? COLUMNS - used : 10;
    size_t length = cut(line, room, strength);
    add_indent(text, more);
    dsp_text(text, "%s%.*s\n", prefix,
             (int)(line[length - 1] == ' ' ? length - 1 : length), line);
    line += length;
    while (*line == ' ') line++;
  }
}

static void folded(DspText *text, const char *format, va_list args,
                   const char *prefix, int hanging,
                 int (*strength)(const char *, size_t)) {
  DspText line = {0};
  dsp_text_v(&line, format, args);
  fold(text, line.data ? line.data : "", prefix, hanging, strength);
  dsp_text_free(&line);
}

void dsp_statement(DspText *text, const char *format, ...) {
  va_list args;
  va_start(args, format);
  folded(text, format, args, "", 4, statement_break);
  va_end(args);
}

void dsp_comment(DspText *text, const char *format, ...) {
  va_list args;
  va_start(args, format);
  folded(text, format, args, "// ", 0, comment_break);
  va_end(args);
}

void dsp_text_free(DspText *text) {
  free(text->data);
  *text = (DspText){0};
}
