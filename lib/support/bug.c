// bug.c - our own mistakes, as opposed to the user's.
#include "dspc/support/bug.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void dsp_bug(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("dspc: internal error: ", stderr);
  vfprintf(stderr, format, args);
  fputs("\nThis is a mistake in dspc; please report it with the model that "
        "shows it.\n",
        stderr);
  va_end(args);
  exit(DSP_EXIT_BUG);
}
