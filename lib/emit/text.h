// text.h - a growing piece of text with indentation.
#ifndef DSPC_LIB_EMIT_TEXT_H
#define DSPC_LIB_EMIT_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/// Owned by whoever made it; free with dsp_text_free.
typedef struct DspText {
  char *data; ///< zero-terminated once anything was added
  size_t length, capacity;
  int indent; ///< levels of two spaces in front of each dsp_line
} DspText;

#define DSP_PRINTF(f, a) __attribute__((format(printf, f, a)))

/// Adds formatted text as it is.
void dsp_text(DspText *text, const char *format, ...) DSP_PRINTF(2, 3);
void dsp_text_v(DspText *text, const char *format, va_list args)
    DSP_PRINTF(2, 0);
/// Adds one indented line and its end.
void dsp_line(DspText *text, const char *format, ...) DSP_PRINTF(2, 3);
/// Adds a statement, folded behind commas where it would pass 80 columns.
void dsp_statement(DspText *text, const char *format, ...) DSP_PRINTF(2, 3);
/// Adds a `//` comment, folded at spaces; `format` without the slashes.
void dsp_comment(DspText *text, const char *format, ...) DSP_PRINTF(2, 3);
void dsp_text_free(DspText *text);

#endif
