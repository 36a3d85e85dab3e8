// errors.h - the user's mistakes, collected until somebody prints them.
#ifndef DSPRT_COMMON_ERRORS_H
#define DSPRT_COMMON_ERRORS_H

#include <stddef.h>

typedef struct DsprtErrors {
  int count;
  char *text; ///< lines, each ended; NULL while there is none
  size_t length;
} DsprtErrors;

/// Adds one message, a line.
void dsprt_error(DsprtErrors *errors, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void dsprt_errors_free(DsprtErrors *errors);

#endif
