// errors.c - a growing list of messages.
//
// Needs:  nothing.
// Leaves: every message in order; when memory runs out, at least the count.
#include "errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void append(DsprtErrors *errors, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  if (length < 0) return;
  size_t need = errors->length + (size_t)length + 2;
  char *text = realloc(errors->text, need);
  if (!text) return;
  errors->text = text;
  vsnprintf(text + errors->length, (size_t)length + 1, format, args);
  errors->length += (size_t)length;
  text[errors->length++] = '\n';
  text[errors->length] = '\0';
}

void dsprt_error(DsprtErrors *errors, const char *format, ...) {
  va_list args;
  va_start(args, format);
  append(errors, format, args);
  va_end(args);
  errors->count++;
}

void dsprt_errors_free(DsprtErrors *errors) {
  free(errors->text);
  *errors = (DsprtErrors){0};
}
