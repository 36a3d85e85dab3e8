// model.c - from the text of a model to the graph that is planned.
//
// Needs:  a file, and sizes.
// Leaves: the graph as dspc plans it, equal ops merged.
#include "model.h"

#include <stdio.h>
#include <string.h>

#include "dspc/dialect/dialect.h"
#include "dspc/import/import.h"
#include "dspc/sema/model.h"
#include "plan_graph.h"

enum { MAX_TEXT = 1 << 20 };

static DspModel *read_model(DspArena *arena, char **args, int count) {
  static DspSource source;
  static char text[MAX_TEXT];
  DspDefine defines[32];
  FILE *file = fopen(args[0], "rb");
  size_t size = file ? fread(text, 1, MAX_TEXT - 1, file) : 0;
  if (file)
    fclose(file);
  source = (DspSource){args[0], text, size};
  DspDiags diags = {.arena = arena, .source = &source};
  for (int i = 1; i < count; ++i) {
    char *equals = strchr(args[i], '=');
    if (!equals || i > 32)
      return NULL;
    defines[i - 1] = (DspDefine){{args[i], (size_t)(equals - args[i])},
                                 dsp_str(equals + 1)};
  }
  DspAst *ast = dsp_parse(arena, &source, &diags);
  DspModel *model =
      diags.count ? NULL
                  : dsp_sema_model(arena, ast, defines, (size_t)count - 1,
                                   &diags);
  dsp_diags_print(&diags, stderr);
  return diags.count ? NULL : model;
}

static bool read_graph(DspArena *arena, MlirModule module, DspModuleGraph *g) {
  MlirOperation top = mlirModuleGetOperation(module);
  DspPassOptions passes = {.ranks = 1};
  return dsp_pass_find("merge-equal-ops", 15)->run(module, &passes) &&
         dsp_read_graph(arena, dsp_model_func(module),
                        dsp_attr(top, "dsp.dims"), g);
}

bool with_model(char **args, int count,
                bool (*run)(DspArena *arena, const DspPlanGraph *graph)) {
  DspArena *arena = dsp_arena_create();
  DspModel *model = read_model(arena, args, count);
  bool fine = false;
  if (model) {
    DspModuleGraph g;
    MlirContext context = dsp_context_create();
    MlirModule module = dsp_import_model(context, model);
    fine = read_graph(arena, module, &g) && run(arena, &g.graph);
    mlirModuleDestroy(module);
    mlirContextDestroy(context);
  }
  dsp_arena_destroy(arena);
  return fine;
}
