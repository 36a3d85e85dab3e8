// diag.c - what is wrong with the user's text, collected and printed.
#include "dspc/support/diag.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "dspc/support/bug.h"

static const struct {
  const char *name;
} table[] = {
#define DSP_DIAG(id, title) {#id},
#include "dspc/support/diag.def"
};

const char *dsp_diag_name(DspDiagId id) { return table[id].name; }

static const char *format_text(DspArena *arena, const char *format,
                               va_list args) {
  va_list again;
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  char *out = dsp_arena_alloc(arena, (size_t)length + 1);
  vsnprintf(out, (size_t)length + 1, format, args);
  return out;
}

static DspDiag *find(DspDiags *diags, DspDiagId id, DspRange range) {
  for (size_t i = 0; i < diags->count; i++)
    if (diags->list[i].id == id && diags->list[i].range.begin == range.begin)
      return &diags->list[i];
  return NULL;
}

static DspDiag *append(DspDiags *diags) {
  if (diags->count == diags->capacity) {
    size_t capacity = diags->capacity ? 2 * diags->capacity : 16;
    DspDiag *grown = dsp_arena_alloc(diags->arena, capacity * sizeof *grown);
    if (diags->count)
      memcpy(grown, diags->list, diags->count * sizeof *grown);
    diags->list = grown;
    diags->capacity = capacity;
  }
  return &diags->list[diags->count++];
}

DspDiag *dsp_error(DspDiags *diags, DspDiagId id, DspRange range,
                   const char *format, ...) {
  diags->reported++;
  DspDiag *diag = find(diags, id, range);
  bool full = !diag && diags->count == DSP_ERRORS_KEPT;
  diags->dropped += full;
  if (diag || full) { // what the caller adds to it goes nowhere
    DspDiag *lost = dsp_arena_alloc(diags->arena, sizeof *lost);
    *lost = (DspDiag){.id = id, .range = range, .text = ""};
    return lost;
  }
  diag = append(diags);
  *diag = (DspDiag){.id = id, .range = range};
  va_list args;
  va_start(args, format);
  diag->text = format_text(diags->arena, format, args);
  va_end(args);
  return diag;
}

void dsp_note(DspDiags *diags, DspDiag *diag, DspRange range,
              const char *format, ...) {
  if (diag->nnotes == DSP_MAX_NOTES) return;
  DspNote *note = &diag->notes[diag->nnotes++];
  note->range = range;
  va_list args;
  va_start(args, format);
  note->text = format_text(diags->arena, format, args);
  va_end(args);
}

void dsp_help(DspDiags *diags, DspDiag *diag, const char *format, ...) {
  va_list args;
  va_start(args, format);
  diag->help = format_text(diags->arena, format, args);
  va_end(args);
}

enum { WIDEST = 160, BEFORE_MARK = 60 };

/// A byte that goes on a character of UTF-8 takes no column.
static bool goes_on(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/// One source line with a mark under the range; of a very long one a piece.
static void print_line(const DspSource *source, DspRange range, char mark,
                       const char *label, FILE *out) {
  DspPlaceInText place = dsp_source_place(source, range.begin);
  DspStr line = dsp_source_line(source, place.line);
  size_t from = (size_t)place.column - 1, begin = 0, end = line.length;
  size_t length = range.end > range.begin ? range.end - range.begin : 1;
  if (from > line.length) from = line.length;
  if (end > WIDEST && from > BEFORE_MARK) begin = from - BEFORE_MARK;
  while (begin && begin < end && goes_on(line.data[begin])) begin++;
  if (end - begin > WIDEST) end = begin + WIDEST;
  if (length > end - from) length = end - from;
  fprintf(out, "%4d | %s", place.line, begin ? "..." : "");
  for (size_t i = begin; i < end; i++) {
    unsigned char c = (unsigned char)line.data[i];
    fputc(c < ' ' && c != '\t' ? '?' : c, out);
  }
  fprintf(out, "%s\n     | %s", end < line.length ? "..." : "",
          begin ? "   " : "");
  for (size_t i = begin; i < from; i++)
    if (!goes_on(line.data[i])) fputc(line.data[i] == '\t' ? '\t' : ' ', out);
  fputc(mark, out);
  for (size_t i = 1; i < length; i++)
    if (!goes_on(line.data[from + i])) fputc(mark, out);
  fprintf(out, "%s%s\n", *label ? " " : "", label);
}

static void print_diag(const DspDiags *diags, const DspDiag *diag, FILE *out) {
  DspPlaceInText place = dsp_source_place(diags->source, diag->range.begin);
  fprintf(out, "error[%s]: %s\n  --> %s:%d:%d\n     |\n",
          dsp_diag_name(diag->id), diag->text, diags->source->name, place.line,
          place.column);
  print_line(diags->source, diag->range, '^', "", out);
  for (size_t i = 0; i < diag->nnotes; i++)
    print_line(diags->source, diag->notes[i].range, '-', diag->notes[i].text,
               out);
  fputs("     |\n", out);
  if (diag->help) fprintf(out, "     = help: %s\n", diag->help);
  fprintf(out, "     = more: dspc --explain %s\n\n", dsp_diag_name(diag->id));
}

void dsp_diags_print(const DspDiags *diags, FILE *out) {
  size_t shown =
      diags->count < DSP_ERROR_LIMIT ? diags->count : DSP_ERROR_LIMIT;
  for (size_t i = 0; i < shown; i++) print_diag(diags, &diags->list[i], out);
  size_t all = diags->count + diags->dropped;
  if (shown < all) fprintf(out, "and %zu more\n", all - shown);
  if (all) fprintf(out, "%zu error%s\n", all, all == 1 ? "" : "s");
}

/// A JSON string; bytes that are no UTF-8 become '?'.
static json_t *json_text(const char *text) {
  json_t *value = json_string(text);
  if (value) return value;
  size_t length = strlen(text);
  char *copy = malloc(length + 1);
  if (!copy) dsp_bug("out of memory");
  for (size_t i = 0; i <= length; i++)
    copy[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
  value = json_string(copy);
  free(copy);
  return value;
}

static json_t *json_place(const DspSource *source, DspRange range) {
  DspPlaceInText begin = dsp_source_place(source, range.begin);
  DspPlaceInText end = dsp_source_place(source, range.end);
  return json_pack("{s:o, s:i, s:i, s:i, s:i}", "file",
                   json_text(source->name), "line",
                   begin.line, "column", begin.column, "endLine", end.line,
                   "endColumn", end.column);
}

void dsp_diags_print_json(const DspDiags *diags, FILE *out) {
  json_t *all = json_array();
  for (size_t i = 0; i < diags->count; i++) {
    const DspDiag *diag = &diags->list[i];
    json_t *one = json_place(diags->source, diag->range);
    json_object_set_new(one, "id", json_string(dsp_diag_name(diag->id)));
    json_object_set_new(one, "severity", json_string("error"));
    json_object_set_new(one, "message", json_text(diag->text));
    json_t *notes = json_array();
    for (size_t n = 0; n < diag->nnotes; n++) {
      json_t *note = json_place(diags->source, diag->notes[n].range);
      json_object_set_new(note, "message", json_text(diag->notes[n].text));
      json_array_append_new(notes, note);
    }
    json_object_set_new(one, "notes", notes);
    if (diag->help) json_object_set_new(one, "help", json_text(diag->help));
    json_array_append_new(all, one);
  }
  json_dumpf(all, out, JSON_INDENT(2));
  fputc('\n', out);
  json_decref(all);
}

enum { LONGEST_NAME = 64 };

/// Edits that turn `a` into `b`; names of at most LONGEST_NAME bytes.
static size_t distance(DspStr a, DspStr b) {
  size_t row[LONGEST_NAME + 1];
  for (size_t j = 0; j <= b.length; j++) row[j] = j;
  for (size_t i = 1; i <= a.length; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.length; j++) {
      size_t best = diagonal + (a.data[i - 1] != b.data[j - 1]);
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[b.length];
}

DspStr dsp_nearest(DspStr wrong, const DspStr *words, size_t count) {
  DspStr best = {NULL, 0};
  size_t least = wrong.length / 3 + 1;
  if (wrong.length > LONGEST_NAME) return best;
  for (size_t i = 0; i < count; i++) {
    if (words[i].length > LONGEST_NAME) continue;
    size_t d = distance(wrong, words[i]);
    if (d == 0 || d > least || (d == least && best.data)) continue;
    best = words[i];
    least = d;
  }
  return best;
}
