// diag.h - what is wrong with the user's text, collected and printed.
#ifndef DSPC_SUPPORT_DIAG_H
#define DSPC_SUPPORT_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "dspc/support/arena.h"
#include "dspc/support/source.h"

/// The diagnostics: DSP_E0201 is "E0201".
typedef enum DspDiagId {
#define DSP_DIAG(id, title) DSP_##id,
#include "dspc/support/diag.def"
  DSP_DIAG_COUNT
} DspDiagId;

enum {
  DSP_MAX_NOTES = 4,
  DSP_ERROR_LIMIT = 20, ///< printed as text
  DSP_ERRORS_KEPT = 200, ///< later ones are only counted
};

/// Another place that belongs to a diagnostic.
typedef struct DspNote {
  DspRange range;
  const char *text;
} DspNote;

typedef struct DspDiag {
  DspDiagId id;
  DspRange range;
  const char *text; ///< lower case, no full stop
  DspNote notes[DSP_MAX_NOTES];
  size_t nnotes;
  const char *help; ///< or NULL
} DspDiag;

/// Collects errors; the same ID at the same place counts once.
typedef struct DspDiags {
  DspArena *arena;
  const DspSource *source;
  DspDiag *list;
  size_t count, capacity;
  size_t dropped; ///< errors beyond DSP_ERRORS_KEPT
  size_t reported; ///< calls of dsp_error, the same error again included
} DspDiags;

/// Adds an error and returns it, to add notes and help to.
DspDiag *dsp_error(DspDiags *diags, DspDiagId id, DspRange range,
                   const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void dsp_note(DspDiags *diags, DspDiag *diag, DspRange range,
              const char *format, ...) __attribute__((format(printf, 4, 5)));
void dsp_help(DspDiags *diags, DspDiag *diag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/// "E0201".
const char *dsp_diag_name(DspDiagId id);

/// Prints all as text, with lines and carets.
void dsp_diags_print(const DspDiags *diags, FILE *out);
/// Prints all as one JSON array.
void dsp_diags_print_json(const DspDiags *diags, FILE *out);

/// The word of `words` that is nearest to `wrong`, or an empty one when none
/// is near.
DspStr dsp_nearest(DspStr wrong, const DspStr *words, size_t count);

#endif
