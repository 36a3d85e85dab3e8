// signals.c - a rank that dies says who it was.
//
// Needs:  the run, which must outlive the process.
// Leaves: one line, then what the signal would have done.  Only functions that
//         a signal handler may call.
#include "signals.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const DsprtRun *watched;

static const struct {
  int number;
  const char *means;
} fatal[] = {
    {SIGSEGV, "memory that is not there (a bug of the program)"},
    {SIGBUS, "a mapped file became shorter, or a disk failed"},
    {SIGFPE, "a division by zero (a bug of the program)"},
    {SIGILL, "an instruction that this machine does not have"},
};

static void print(const char *text) {
  ssize_t done = write(STDERR_FILENO, text, strlen(text));
  (void)done;
}

static void print_number(int n) {
  char digits[12];
  size_t at = sizeof digits;
  digits[--at] = '\0';
  do digits[--at] = (char)('0' + n % 10);
  while ((n /= 10) > 0);
  print(digits + at);
}

static void on_signal(int number) {
  print("error: rank ");
  print_number(watched->rank);
  print(" of ");
  print_number(watched->ranks);
  if (watched->stage >= 0 && watched->stage_name) {
    print(", stage '");
    print(watched->stage_name);
    print("'");
  }
  for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
    if (fatal[i].number == number) {
      print(": ");
      print(fatal[i].means);
    }
  print("\n");
  raise(number); // the handler is gone
}

void dsprt_signals_watch(const DsprtRun *run) {
  struct sigaction action = {.sa_handler = on_signal,
                             .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
  watched = run;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
    sigaction(fatal[i].number, &action, NULL);
}
