// expect.c - expected-error comments and the diagnostics that they expect.
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include "dspc/support/bug.h"

typedef struct Expected {
  MlirDiagnosticSeverity severity;
  int line; ///< in the text, from 1
  const char *text;
  size_t length;
  bool met;
} Expected;

typedef struct ExpectedList {
  Expected *items;
  size_t count, capacity;
} ExpectedList;

static Expected *add(ExpectedList *list) {
  if (list->count == list->capacity) {
    list->capacity = list->capacity ? 2 * list->capacity : 16;
    list->items = realloc(list->items, list->capacity * sizeof *list->items);
    if (!list->items) dsp_bug("out of memory for expected diagnostics");
  }
  list->items[list->count] = (Expected){.line = 0};
  return &list->items[list->count++];
}

static const char *skip(const char *text, const char *prefix) {
  size_t length = strlen(prefix);
  return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static const char *read_severity(const char *text,
                                 MlirDiagnosticSeverity *severity) {
  static const MlirDiagnosticSeverity all[] = {
      MlirDiagnosticError, MlirDiagnosticWarning, MlirDiagnosticNote,
      MlirDiagnosticRemark};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    const char *rest = skip(text, dsp_mlir_severity_name(all[i]));
    if (!rest) continue;
    *severity = all[i];
    return rest;
  }
  return NULL;
}

/// Is the line at `text` only an expected-* comment?
static bool is_expectation(const char *text) {
  text += strspn(text, " \t/");
  return skip(text, "expected-") != NULL;
}

static const char *next_line(const char *text) {
  const char *end = strchr(text, '\n');
  return end ? end + 1 : text + strlen(text);
}

/// The nearest line below the one at `line` that holds no expectation.
static int line_below(const char *line, int number) {
  do {
    line = next_line(line);
    number++;
  } while (*line && is_expectation(line));
  return number;
}

/// `place` follows "expected-error": @+1, @-2, @below, @above or nothing.
static const char *read_place(const char *place, const char *line, int number,
                              int above, int *result) {
  const char *rest;
  *result = number;
  if ((rest = skip(place, "@below"))) {
    *result = line_below(line, number);
  } else if ((rest = skip(place, "@above"))) {
    *result = above;
  } else if (place[0] == '@' && (place[1] == '+' || place[1] == '-')) {
    char *end;
    *result = number + (int)strtol(place + 1, &end, 10);
    rest = end;
  } else {
    rest = place;
  }
  return rest + strspn(rest, " \t");
}

/// Reads the expectations of one line; false when one cannot be read.
static bool read_line(ExpectedList *list, const char *line, int number,
                      int above) {
  const char *end = next_line(line);
  const char *at = strstr(line, "expected-");
  for (; at && at < end; at = strstr(at, "expected-")) {
    Expected item = {.line = 0};
    const char *rest = read_severity(at + strlen("expected-"), &item.severity);
    if (!rest) return false;
    rest = read_place(rest, line, number, above, &item.line);
    const char *close = strstr(rest, "}}");
    if (strncmp(rest, "{{", 2) != 0 || !close || close >= end) return false;
    item.text = rest + 2;
    item.length = (size_t)(close - item.text);
    *add(list) = item;
    at = close;
  }
  return true;
}

static bool read_all(ExpectedList *list, const char *file, const char *text,
                     int first_line, FILE *err) {
  int number = 1, above = 0;
  bool fine = true;
  for (const char *line = text; *line; line = next_line(line), number++) {
    if (!read_line(list, line, number, above)) {
      fprintf(err, "%s:%d: error: cannot read this expected-* comment\n", file,
              first_line + number - 1);
      fine = false;
    }
    if (!is_expectation(line)) above = number;
  }
  return fine;
}

static bool holds(const char *text, const Expected *item) {
  for (; *text; text++)
    if (strncmp(text, item->text, item->length) == 0) return true;
  return item->length == 0;
}

static bool meet(ExpectedList *list, const DspMlirMessage *message) {
  for (size_t i = 0; i < list->count; i++) {
    Expected *item = &list->items[i];
    if (item->met || item->severity != message->severity ||
        item->line != message->line || !holds(message->text, item))
      continue;
    item->met = true;
    return true;
  }
  return false;
}

bool dsp_expect_check(const char *file, const char *text, int first_line,
                      const DspMlirSink *sink, FILE *err) {
  ExpectedList list = {NULL, 0, 0};
  bool fine = read_all(&list, file, text, first_line, err);
  for (size_t i = 0; i < sink->count; i++) {
    const DspMlirMessage *m = &sink->messages[i];
    if (meet(&list, m) || m->severity == MlirDiagnosticNote) continue;
    fprintf(err, "%s:%d:%d: error: unexpected %s: %s\n", file,
            first_line + m->line - 1, m->column,
            dsp_mlir_severity_name(m->severity), m->text);
    fine = false;
  }
  for (size_t i = 0; i < list.count; i++) {
    const Expected *item = &list.items[i];
    if (item->met) continue;
    fprintf(err, "%s:%d: error: expected %s \"%.*s\" was not produced\n", file,
            first_line + item->line - 1, dsp_mlir_severity_name(item->severity),
            (int)item->length, item->text);
    fine = false;
  }
  free(list.items);
  return fine;
}
