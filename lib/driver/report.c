// report.c - the plan as a table.
//
// Needs:  insert-switches ran.
#include "report.h"

#include <mlir-c/BuiltinAttributes.h>
#include <string.h>

#include "dspc/dialect/dialect.h"

static MlirAttribute get(MlirOperation op, const char *name) {
  return mlirOperationGetAttributeByName(op,
                                         mlirStringRefCreateFromCString(name));
}

static MlirAttribute entry(MlirAttribute dictionary, const char *name) {
  return mlirDictionaryAttrGetElementByName(
      dictionary, mlirStringRefCreateFromCString(name));
}

static int64_t bytes_of(MlirOperation op) {
  MlirAttribute bytes = get(op, "bytes");
  int64_t total = 0;
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(bytes); i++)
    total += mlirIntegerAttrGetValueInt(mlirArrayAttrGetElement(bytes, i));
  return total;
}

static MlirOperation model_func(MlirModule module) {
  MlirOperation op = mlirBlockGetFirstOperation(mlirModuleGetBody(module));
  while (op.ptr && mlirOperationGetNumRegions(op) == 0)
    op = mlirOperationGetNextInBlock(op);
  return op;
}

/// What a stage does, gathered op by op.
typedef struct Row {
  int64_t stage, bytes;
  int moves;
  MlirStringRef cut;
  char collectives[128];
} Row;

static void print_row(const Row *row, MlirAttribute stages, FILE *out) {
  MlirAttribute stage = mlirArrayAttrGetElement(stages, row->stage);
  MlirStringRef name = mlirStringAttrGetValue(entry(stage, "name"));
  MlirStringRef args = mlirStringAttrGetValue(entry(stage, "args"));
  MlirAttribute loops = entry(stage, "loops");
  char text[96];
  int n = snprintf(text, sizeof text, "%.*s%s%.*s",
                   name.length ? (int)name.length : 1,
                   name.length ? name.data : "-", args.length ? " " : "",
                   (int)args.length, args.data);
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(loops); i++) {
    MlirAttribute loop = mlirArrayAttrGetElement(loops, i);
    MlirStringRef var = mlirStringAttrGetValue(entry(loop, "var"));
    if (n > 0 && (size_t)n < sizeof text)
      n += snprintf(text + n, sizeof text - (size_t)n, "  %.*s=%lld",
                    (int)var.length, var.data,
                    (long long)mlirIntegerAttrGetValueInt(
                        entry(loop, "index")));
  }
  fprintf(out, "%5lld  %-32s %-6.*s %-36s %14lld\n", (long long)row->stage,
          text, row->cut.length ? (int)row->cut.length : 1,
          row->cut.length ? row->cut.data : "-",
          row->moves ? row->collectives : "-", (long long)row->bytes);
}

static void add_op(Row *row, MlirOperation op) {
  DspOpKind kind = dsp_op_kind(op);
  if (dsp_op_changes_layout(kind) && kind != DSP_OP_SHARD) {
    size_t used = strlen(row->collectives);
    MlirStringRef to =
        dsp_tensor_layout(mlirValueGetType(mlirOperationGetResult(op, 0)));
    snprintf(row->collectives + used, sizeof row->collectives - used,
             "%s%s to %.*s", used ? ", " : "", dsp_op_name(kind) + 4,
             (int)to.length, to.data);
    row->moves++;
    row->bytes += bytes_of(op);
  }
  bool works = kind == DSP_OP_LINEAR || kind == DSP_OP_FUSED_LINEAR ||
               kind == DSP_OP_ATTENTION;
  if (!works) return;
  row->cut = dsp_tensor_layout(mlirValueGetType(mlirOperationGetResult(op, 0)));
}

static void print_certificate(MlirOperation top, FILE *out) {
  MlirAttribute certificate = get(top, "dsp.certificate");
  if (mlirAttributeIsNull(certificate)) return;
  int64_t optimum = mlirIntegerAttrGetValueInt(entry(certificate, "optimum"));
  int64_t bound = mlirIntegerAttrGetValueInt(entry(certificate, "bound"));
  fprintf(out, "certificate: plan %lld bytes, proved lower bound %lld: %s\n",
          (long long)optimum, (long long)bound,
          optimum == bound ? "no plan moves fewer" : "not proved optimal");
}

void dsp_report_plan(MlirModule module, int64_t ranks, FILE *out) {
  MlirOperation top = mlirModuleGetOperation(module);
  MlirAttribute stages = get(top, "dsp.stages");
  Row row = {.stage = -1};
  int64_t bytes = 0, moves = 0;
  fprintf(out, "%5s  %-32s %-6s %-36s %14s\n", "stage", "what", "cut",
          "collectives", "bytes");
  MlirOperation op = mlirBlockGetFirstOperation(mlirRegionGetFirstBlock(
      mlirOperationGetRegion(model_func(module), 0)));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    MlirAttribute stage = get(op, "stage");
    if (mlirAttributeIsNull(stage)) continue;
    int64_t number = mlirIntegerAttrGetValueInt(stage);
    if (number != row.stage) {
      if (row.stage >= 0) print_row(&row, stages, out);
      bytes += row.bytes;
      moves += row.moves;
      row = (Row){.stage = number};
    }
    add_op(&row, op);
  }
  if (row.stage >= 0) print_row(&row, stages, out);
  bytes += row.bytes;
  moves += row.moves;
  fprintf(out, "total: %lld collectives, %lld bytes leave %lld ranks\n",
          (long long)moves, (long long)bytes, (long long)ranks);
  print_certificate(top, out);
}

void dsp_report_memory(MlirModule module, FILE *out) {
  MlirAttribute bytes =
      get(mlirModuleGetOperation(module), "dsp.arena_bytes");
  if (mlirAttributeIsNull(bytes)) return;
  fprintf(out, "peak activation memory: %lld bytes on the largest rank\n",
          (long long)mlirIntegerAttrGetValueInt(bytes));
}
