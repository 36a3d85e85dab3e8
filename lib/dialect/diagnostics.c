// diagnostics.c - MLIR's diagnostics as data: severity, place and text.
#include "dspc/dialect/diagnostics.h"

#include <stdlib.h>
#include <string.h>

#include "dspc/support/bug.h"

enum { MAX_FUSED = 16 }; // parts of a fused location that are looked at

static bool fused_place(MlirLocation location, MlirStringRef *file, int *line,
                        int *column) {
  MlirLocation parts[MAX_FUSED];
  if (mlirLocationFusedGetNumLocations(location) > MAX_FUSED) return false;
  unsigned count = mlirLocationFusedGetNumLocations(location);
  mlirLocationFusedGetLocations(location, parts);
  for (unsigned i = 0; i < count; i++)
    if (dsp_location_place(parts[i], file, line, column)) return true;
  return false;
}

bool dsp_location_place(MlirLocation location, MlirStringRef *file, int *line,
                        int *column) {
  if (mlirLocationIsAFileLineColRange(location)) {
    *file =
        mlirIdentifierStr(mlirLocationFileLineColRangeGetFilename(location));
    *line = mlirLocationFileLineColRangeGetStartLine(location);
    *column = mlirLocationFileLineColRangeGetStartColumn(location);
    return true;
  }
  if (mlirLocationIsAName(location))
    return dsp_location_place(mlirLocationNameGetChildLoc(location), file, line,
                              column);
  if (mlirLocationIsACallSite(location))
    return dsp_location_place(mlirLocationCallSiteGetCallee(location), file,
                              line, column);
  if (mlirLocationIsAFused(location))
    return fused_place(location, file, line, column);
  return false;
}

static void append_text(MlirStringRef piece, void *user) {
  char **text = user;
  size_t length = strlen(*text);
  char *grown = realloc(*text, length + piece.length + 1);
  if (!grown) dsp_bug("out of memory for a diagnostic");
  if (piece.length) memcpy(grown + length, piece.data, piece.length);
  grown[length + piece.length] = '\0';
  *text = grown;
}

static char *copy_text(MlirStringRef text) {
  char *copy = calloc(1, 1);
  if (!copy) dsp_bug("out of memory for a diagnostic");
  append_text(text, &copy);
  return copy;
}

static DspMlirMessage *add_message(DspMlirSink *sink) {
  if (sink->count == sink->capacity) {
    sink->capacity = sink->capacity ? 2 * sink->capacity : 16;
    sink->messages =
        realloc(sink->messages, sink->capacity * sizeof *sink->messages);
    if (!sink->messages) dsp_bug("out of memory for diagnostics");
  }
  return &sink->messages[sink->count++];
}

static void collect(DspMlirSink *sink, MlirDiagnostic diagnostic) {
  MlirStringRef file = {"", 0};
  DspMlirMessage *message = add_message(sink);
  *message = (DspMlirMessage){.severity = mlirDiagnosticGetSeverity(diagnostic),
                              .text = copy_text((MlirStringRef){"", 0})};
  dsp_location_place(mlirDiagnosticGetLocation(diagnostic), &file,
                     &message->line, &message->column);
  message->file = copy_text(file);
  mlirDiagnosticPrint(diagnostic, append_text, &message->text);
  sink->nerrors += message->severity == MlirDiagnosticError;
  for (intptr_t i = 0; i < mlirDiagnosticGetNumNotes(diagnostic); i++)
    collect(sink, mlirDiagnosticGetNote(diagnostic, i));
}

static MlirLogicalResult handle(MlirDiagnostic diagnostic, void *user) {
  collect(user, diagnostic);
  return mlirLogicalResultSuccess();
}

void dsp_mlir_sink_attach(DspMlirSink *sink, MlirContext context) {
  *sink = (DspMlirSink){.context = context};
  sink->handler =
      mlirContextAttachDiagnosticHandler(context, handle, sink, NULL);
}

void dsp_mlir_sink_detach(DspMlirSink *sink) {
  mlirContextDetachDiagnosticHandler(sink->context, sink->handler);
}

void dsp_mlir_sink_shrink(DspMlirSink *sink, size_t count) {
  while (sink->count > count) {
    DspMlirMessage *last = &sink->messages[--sink->count];
    sink->nerrors -= last->severity == MlirDiagnosticError;
    free(last->file);
    free(last->text);
  }
}

void dsp_mlir_sink_clear(DspMlirSink *sink) {
  dsp_mlir_sink_shrink(sink, 0);
  free(sink->messages);
  sink->messages = NULL;
  sink->capacity = 0;
}

const char *dsp_mlir_severity_name(MlirDiagnosticSeverity severity) {
  switch (severity) {
  case MlirDiagnosticError: return "error";
  case MlirDiagnosticWarning: return "warning";
  case MlirDiagnosticNote: return "note";
  case MlirDiagnosticRemark: return "remark";
  }
  return "error";
}

void dsp_mlir_sink_write(const DspMlirSink *sink, FILE *out) {
  for (size_t i = 0; i < sink->count; i++) {
    const DspMlirMessage *m = &sink->messages[i];
    if (m->line > 0) fprintf(out, "%s:%d:%d: ", m->file, m->line, m->column);
    fprintf(out, "%s: %s\n", dsp_mlir_severity_name(m->severity), m->text);
  }
}
