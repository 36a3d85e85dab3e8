// report.h - what a run found out, for people and for programs.
#ifndef DSPRT_COMMON_REPORT_H
#define DSPRT_COMMON_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "dsprt_program.h"
#include "errors.h"
#include "profile.h"

typedef struct DsprtReport {
  const DsprtProgram *program;
  const int64_t *counted; ///< [ranks] bytes that left each in one pass
  int64_t arena_bytes;    ///< allocated on each rank
  int64_t weights_mapped, weights_copied;
  DsprtDeviceMemory memory; ///< of the rank that took most
  int threads;          ///< of a rank
  int passes;           ///< that were timed
  double median, least; ///< seconds
  const DsprtProfile *profile; ///< of one more pass, or NULL
  bool tables;                 ///< print where its time goes
} DsprtReport;

/// Sorts the times and sets passes, median and least.
void dsprt_report_times(DsprtReport *report, double *seconds, int count);

void dsprt_report_print(const DsprtReport *report, FILE *to);
/// The report as a JSON object, and the end of a line.
bool dsprt_report_json(const DsprtReport *report, FILE *to);
bool dsprt_report_save(const DsprtReport *report, const char *path,
                       DsprtErrors *errors);

/// Did every rank send what was predicted?  Adds an error for each that did
/// not.
bool dsprt_report_check(const DsprtReport *report, DsprtErrors *errors);

/// A bar on a terminal; nothing elsewhere, and nothing left when it is done.
void dsprt_progress(const char *what, int done, int all);

#endif
