// source.h - a source text and places in it.
#ifndef DSPC_SUPPORT_SOURCE_H
#define DSPC_SUPPORT_SOURCE_H

#include <stddef.h>
#include <stdint.h>

/// A view of bytes; not zero-terminated.
typedef struct DspStr {
  const char *data;
  size_t length;
} DspStr;

#define DSP_FMT(s) (int)(s).length, (s).data ///< for "%.*s"

DspStr dsp_str(const char *text);
int dsp_str_equal(DspStr a, DspStr b);
int dsp_str_equal_c(DspStr a, const char *b);

typedef struct DspSource {
  const char *name; ///< as the user gave it
  const char *text; ///< any bytes
  size_t length;
} DspSource;

/// Bytes begin .. end-1 of a source.
typedef struct DspRange {
  uint32_t begin, end;
} DspRange;

/// Line and column, both from 1, of a byte.
typedef struct DspPlaceInText {
  int line, column;
} DspPlaceInText;

DspPlaceInText dsp_source_place(const DspSource *source, uint32_t offset);
/// The text of a line (from 1) without its end; empty behind the last one.
DspStr dsp_source_line(const DspSource *source, int line);

#endif
