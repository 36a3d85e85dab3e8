// diagnostics.h - MLIR's diagnostics as data: severity, place and text.
#ifndef DSPC_DIALECT_DIAGNOSTICS_H
#define DSPC_DIALECT_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <mlir-c/Diagnostics.h>
#include <mlir-c/IR.h>

/// One diagnostic or note; places count from 1, and line is 0 when unknown.
typedef struct DspMlirMessage {
  MlirDiagnosticSeverity severity;
  char *file; ///< "" when unknown
  int line, column;
  char *text;
} DspMlirMessage;

/// What a context reported while a sink was attached, in order.
typedef struct DspMlirSink {
  DspMlirMessage *messages;
  size_t count, capacity;
  size_t nerrors;
  MlirContext context;
  MlirDiagnosticHandlerID handler;
} DspMlirSink;

/// Collects what `context` reports from now on.  The sink must stay where it
/// is until it is detached.
void dsp_mlir_sink_attach(DspMlirSink *sink, MlirContext context);
/// Stops collecting; the messages stay.
void dsp_mlir_sink_detach(DspMlirSink *sink);
/// Forgets and frees the messages.
void dsp_mlir_sink_clear(DspMlirSink *sink);

/// Forgets and frees all but the first `count` messages.
void dsp_mlir_sink_shrink(DspMlirSink *sink, size_t count);

/// "error", "warning", "note" or "remark".
const char *dsp_mlir_severity_name(MlirDiagnosticSeverity severity);
/// Writes "file:line:column: error: text\n" for every message.
void dsp_mlir_sink_write(const DspMlirSink *sink, FILE *out);

/// The place of a file location, through names, call sites and fusions; false
/// when it has none.
bool dsp_location_place(MlirLocation location, MlirStringRef *file, int *line,
                        int *column);

#endif
