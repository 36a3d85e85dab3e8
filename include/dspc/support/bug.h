// bug.h - our own mistakes, as opposed to the user's.
#ifndef DSPC_SUPPORT_BUG_H
#define DSPC_SUPPORT_BUG_H

enum { DSP_EXIT_BUG = 70 }; ///< EX_SOFTWARE

/// Reports a mistake of dspc's own and ends the process with DSP_EXIT_BUG.
_Noreturn void dsp_bug(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
