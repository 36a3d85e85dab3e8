// report.h - what dspc plan prints.
#ifndef DSPC_LIB_DRIVER_REPORT_H
#define DSPC_LIB_DRIVER_REPORT_H

#include "job.h"

/// A line for each stage, the totals of every method, the certificate and the
/// memory; job->measure holds them.
void dsp_report_plan(const DspJob *job, FILE *out);
/// The same as JSON.
void dsp_report_json(const DspJob *job, FILE *out);

#endif
