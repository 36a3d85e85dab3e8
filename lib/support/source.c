// source.c - a source text and places in it.
#include "dspc/support/source.h"

#include <string.h>

DspStr dsp_str(const char *text) { return (DspStr){text, strlen(text)}; }

int dsp_str_equal(DspStr a, DspStr b) {
  return a.length == b.length &&
         (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

int dsp_str_equal_c(DspStr a, const char *b) {
  return dsp_str_equal(a, dsp_str(b));
}

DspPlaceInText dsp_source_place(const DspSource *source, uint32_t offset) {
  DspPlaceInText place = {1, 1};
  for (uint32_t i = 0; i < offset && i < source->length; i++) {
    place.column++;
    if (source->text[i] != '\n') continue;
    place.line++;
    place.column = 1;
  }
  return place;
}

DspStr dsp_source_line(const DspSource *source, int line) {
  const char *at = source->text, *end = source->text + source->length;
  for (; line > 1 && at < end; line--) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    at = newline ? newline + 1 : end;
  }
  const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
  if (!stop) stop = end;
  if (stop > at && stop[-1] == '\r') stop--;
  return (DspStr){at, (size_t)(stop - at)};
}
