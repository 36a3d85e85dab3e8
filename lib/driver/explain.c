// explain.c - the pages of docs/errors inside dspc, for --explain.
#include "explain.h"

#include <stdio.h>
#include <string.h>

#include "dspc/support/diag.h"

#define DSP_DIAG(id, title) extern const char dsp_page_##id[];
#include "dspc/support/diag.def"

static const struct {
  const char *name, *page;
} pages[] = {
#define DSP_DIAG(id, title) {#id, dsp_page_##id},
#include "dspc/support/diag.def"
};

bool dsp_explain(const char *name) {
  for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
    if (strcmp(pages[i].name, name) == 0) {
      fputs(pages[i].page, stdout);
      return true;
    }
  fprintf(stderr, "dspc: error: no diagnostic is called %s: the IDs are",
          name);
  for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
    fprintf(stderr, " %s", pages[i].name);
  fputc('\n', stderr);
  return false;
}
