// rows.c - dsp.fused_norm as a CUDA kernel: an elementwise expression, which is
// a result as well, a norm of it, the rotation of its pairs, and another
// expression, on rows in registers (dsprt_rows.cuh).
//
// The loops of the nest are those over the rows; the channels, innermost and
// side by side in every operand that has them, are shared out among the
// threads of a row.
#include <string.h>

#include "dspc/support/bug.h"
#include "kernel.h"
#include "op.h"

enum {
  MOST_IN_A_THREAD = 48, ///< channels
  WARP = 32,
  BLOCK = 256, ///< DSPRT_THREADS
};

/// A fused norm at work.
typedef struct RowNorm {
  MlirOperation op;
  MlirAttribute over, expr, before;
  int64_t channels;
  size_t params, first; ///< operands: parameters, the first of the expression
  bool layer, rotates, halves;
  bool tiled;                            ///< rows of a DsprtTile
  DspAccess out, in[DSP_NEST_IN];        ///< as they lie
  DspAccess rows_out, rows[DSP_NEST_IN]; ///< without the channels
  DspAccess sum, rows_sum;               ///< with `before`
  bool has_channels[DSP_NEST_IN];
  size_t nin;
  int width;
  int64_t threads;    ///< of a row
  const char *object; ///< of DsprtRow or DsprtTile: "row"
} RowNorm;

static bool is_wave(const RowNorm *n, size_t i) {
  return n->rotates && i > n->params && i < n->first;
}

/// The access without its innermost `count` axes.
static DspAccess without_channels(const DspAccess *a, size_t count) {
  DspAccess rows = *a;
  rows.naxes -= count;
  return rows;
}

static RowNorm row_norm(DspEmitter *e, MlirOperation op, const DspAccess *y) {
  RowNorm n = {.op = op,
               .over = dsp_get(op, "over"),
               .channels = 1,
               .object = "row"};
  MlirStringRef names[DSP_MAX_RANK];
  size_t dims = dsp_attr_read_strings(n.over, names, DSP_MAX_RANK);
  MlirStringRef pair = dsp_get_text(op, "rope");
  for (size_t i = 0; i < dims; i++)
    n.channels *= dsp_dim_names(&e->dims, names[i])->size;
  n.expr = dsp_get(op, "expr");
  n.before = dsp_get(op, "before");
  n.layer = dsp_get_text(op, "norm").data[0] == 'l';
  n.rotates = pair.length > 0;
  n.halves = n.rotates && mlirStringRefEqual(names[0], pair);
  n.params = (size_t)dsp_get_int(op, "params");
  n.first = 1 + n.params + (n.rotates ? 2 : 0);
  n.nin = (size_t)mlirOperationGetNumOperands(op);
  n.out = *y;
  n.rows_out = without_channels(y, dims);
  if (!mlirAttributeIsNull(n.before)) {
    n.sum = *dsp_placed(e, mlirOperationGetResult(op, 1));
    n.rows_sum = without_channels(&n.sum, dims);
  }
  for (size_t i = 0; i < n.nin; i++) {
    n.in[i] = *dsp_operand(e, op, (intptr_t)i);
    size_t own = is_wave(&n, i) ? dims - 1 : dims;
    n.has_channels[i] =
        n.in[i].naxes >= own && own > 0 &&
        dsp_is_in(n.over, n.in[i].shape.atoms[n.in[i].shape.natoms - 1]);
    n.rows[i] = without_channels(&n.in[i], n.has_channels[i] ? own : 0);
  }
  return n;
}

/// Does every row of the access begin at a multiple of `width`?
static bool rows_are_aligned(const DspAccess *rows, int width) {
  if (!dsp_is_float(rows->shape.element) || rows->grain % width) return false;
  for (size_t i = 0; i < rows->naxes; i++)
    if (rows->axes[i].stride.number % width) return false;
  return true;
}

static bool fits_width(const RowNorm *n, int width) {
  int64_t run = n->halves ? n->channels / 2 : n->channels;
  if (run % width || !rows_are_aligned(&n->rows_out, width)) return false;
  for (size_t i = 0; i < n->nin; i++) {
    int own = is_wave(n, i) && !n->halves ? width / 2 : width;
    if (n->has_channels[i] && own > 1 && !rows_are_aligned(&n->rows[i], own))
      return false;
  }
  return true;
}

/// The threads of a row: the team of a warp that leaves the fewest of its
/// places empty, or a block.
static int64_t threads_of(const RowNorm *n) {
  int64_t chunks = n->channels / n->width, best = BLOCK, least = INT64_MAX;
  for (int64_t team = 1; team <= WARP; team *= 2) {
    int64_t each = (chunks + team - 1) / team;
    if (each * n->width > MOST_IN_A_THREAD || team * each > least) continue;
    best = team;
    least = team * each;
  }
  return best;
}

/// "&x[row]", where a row of the second result begins: it lies as the first.
static const char *sum_text(DspKernel *k, const RowNorm *n) {
  DspAccess a = dsp_kernel_access(k, &n->rows_sum);
  return dsp_format(k->e->arena, "&%s",
                    dsp_nest_element(k->e, &a, k->nest, -1));
}

/// The widest access that all operands allow.
static void choose_width(RowNorm *n, int widest) {
  n->width = widest;
  while (n->width > 1 && !fits_width(n, n->width)) n->width /= 2;
  if (n->rotates && !n->halves && n->width == 1)
    dsp_bug("pairs that do not lie side by side");
}

/// "&x[row]", where a row of operand `i` begins; -1: of the result.
static const char *row_text(DspKernel *k, const RowNorm *n, int i) {
  DspAccess a = dsp_kernel_access(k, i < 0 ? &n->rows_out : &n->rows[i]);
  return dsp_format(k->e->arena, "&%s", dsp_nest_element(k->e, &a, k->nest, i));
}

/// The norm itself; of a tile it stands in front of the loop over chunks.
static void add_norm(DspKernel *k, const RowNorm *n, DspText *out) {
  const char *eps =
      dsp_number(k->e, mlirFloatAttrGetValueDouble(dsp_get(n->op, "eps")));
  dsp_line(out, "%s.%s_norm(%s);", n->object, n->layer ? "layer" : "rms", eps);
}

/// Its parameters, and the rotation.  `again` is what a rotation of halves
/// needs to make the other half once more: "x, weight, bias, " or nothing.
static void add_params(DspKernel *k, const RowNorm *n, const char *again,
                       DspText *out) {
  const char *row = n->object;
  if (n->params > 0)
    dsp_statement(out, "%s.scale(%s);", row, row_text(k, n, 1));
  if (n->params > 1)
    dsp_statement(out, "%s.shift(%s);", row, row_text(k, n, 2));
  if (!n->rotates) return;
  dsp_statement(out, "%s.rotate_%s(%s%s, %s);", row,
                n->halves ? "halves" : "neighbours", again,
                row_text(k, n, (int)n->params + 1),
                row_text(k, n, (int)n->params + 2));
}

static const char *again_text(DspKernel *k, const RowNorm *n) {
  const char *again = "";
  for (int i = 0; n->halves && i <= (int)n->params; i++)
    again = dsp_format(k->e->arena, "%s%s, ", again, row_text(k, n, i));
  return again;
}

/// An expression, on every chunk.
static void add_expression(DspKernel *k, const RowNorm *n, MlirAttribute expr,
                           DspText *out) {
  DspEmitter *e = k->e;
  const char *row = n->object;
  const char *x_text = dsp_format(e->arena, "%s.x[chunk].v[lane]", row);
  const char *operands[DSP_NEST_IN] = {x_text};
  if (mlirAttributeIsAInteger(expr) && dsp_expr_reads(expr, 0)) return;
  for (size_t i = n->first; i < n->nin; i++) {
    if (!dsp_expr_reads(expr, (int64_t)i)) continue;
    DspAccess x = dsp_kernel_access(k, &n->rows[i]);
    const char *name =
        dsp_name_c(&k->names, dsp_format(e->arena, "%s_v", x.base));
    operands[i] =
        n->has_channels[i] ? dsp_format(e->arena, "%s.v[lane]", name) : name;
    if (!n->has_channels[i])
      dsp_statement(out, "const float %s = %s;", name,
                    dsp_nest_load(e, &x, k->nest, (int)i));
  }
  dsp_line(out, "#pragma unroll");
  dsp_line(out, "for (int chunk = 0; chunk < %s.CHUNKS; chunk++) {", row);
  out->indent++;
  if (!n->tiled) dsp_line(out, "if (!row.has(chunk)) break;");
  for (size_t i = n->first; i < n->nin; i++) {
    if (!n->has_channels[i] || !dsp_expr_reads(expr, (int64_t)i)) continue;
    dsp_statement(out, "const auto %.*s = %s.chunk(%s + %s.channel(chunk));",
                  (int)strcspn(operands[i], "."), operands[i], row,
                  row_text(k, n, (int)i), row);
  }
  dsp_line(out, "for (int lane = 0; lane < %d; lane++)", k->width);
  out->indent++;
  dsp_statement(
      out, "%s = %s;", x_text,
      dsp_without_parentheses(e, dsp_expression(e, expr, operands)));
  out->indent -= 2;
  dsp_line(out, "}");
}

/// "_mul_add": the functions of an expression when they are not many.
static const char *words_of(DspEmitter *e, MlirAttribute expr) {
  if (mlirAttributeIsNull(expr)) return "";
  const char *words = dsp_kernel_words(e, expr);
  if (strlen(words) > 24) words = "map";
  return dsp_format(e->arena, "%s%s", *words ? "_" : "", words);
}

/// "_layer_norm_mul_add", "_rms_norm_rope"
static const char *norm_words(DspEmitter *e, const RowNorm *n) {
  return dsp_format(e->arena, "%s_%s_norm%s%s", words_of(e, n->before),
                    n->layer ? "layer" : "rms", n->rotates ? "_rope" : "",
                    words_of(e, n->expr));
}

void dsp_emit_row_norm(DspEmitter *e, MlirOperation op, const DspAccess *y) {
  RowNorm n = row_norm(e, op, y);
  choose_width(&n, DSP_KERNEL_WIDEST);
  n.threads = threads_of(&n);
  DspNest nest = dsp_nest(e, &n.rows_out, &n.rows_out, n.rows, n.nin);
  DspKernel k = dsp_kernel_begin(e, &nest, &n.out, n.in, n.nin);
  bool sums = !mlirAttributeIsNull(n.before);
  if (sums) dsp_kernel_add_sum(&k, &n.sum);
  k.width = 1; // the loops are those over rows
  const char *rows = dsp_kernel_count(&k, nest.count);
  DspText body = {.indent = 1};
  dsp_kernel_indices(&k, &body, nest.count);
  k.width = n.width;
  dsp_line(&body, "DsprtRow<%s, %d, %lld> row;", dsp_product_text(e, n.over),
           n.width, (long long)n.threads);
  dsp_statement(&body, "row.load(%s);", row_text(&k, &n, 0));
  if (sums) {
    add_expression(&k, &n, n.before, &body);
    dsp_statement(&body, "row.store(%s);", sum_text(&k, &n));
  }
  add_norm(&k, &n, &body);
  add_params(&k, &n, again_text(&k, &n), &body);
  add_expression(&k, &n, n.expr, &body);
  dsp_statement(&body, "row.store(%s);", row_text(&k, &n, -1));
  const char *team = n.threads == 1
                         ? NULL
                         : dsp_format(e->arena, "%lld", (long long)n.threads);
  dsp_kernel_finish(
      &k, &body,
      dsp_format(e->arena, "%s%s", e->stage_name, norm_words(e, &n)),
      (DspKernelCount){.items = rows, .team = team});
}

const char *dsp_row_norm_words(DspEmitter *e, MlirOperation norm) {
  RowNorm n = row_norm(e, norm, dsp_operand(e, norm, 0));
  return norm_words(e, &n) + 1;
}

void dsp_emit_rows_in_place(DspKernel *k, MlirOperation norm,
                            const DspAxis *along, char which, DspText *out) {
  DspEmitter *e = k->e;
  RowNorm n = row_norm(e, norm, dsp_operand(e, norm, 0));
  n.tiled = true;
  n.object = dsp_format(e->arena, "%c_rows", which);
  choose_width(&n, mlirTypeIsAF32(n.out.shape.element) ? 4 : 8); // 16 bytes
  DspAccess over = n.rows[0];
  over.axes[0] = *along;
  over.naxes = 1;
  DspNest nest = dsp_nest(e, &over, &over, n.rows, n.nin);
  const DspNest *outer = k->nest;
  k->nest = &nest;
  k->width = n.width;
  dsp_statement(out, "DsprtTile<Attention, %d%s> %s(Attention::%c(0), %s);",
                n.width, n.halves ? ", 2" : "", n.object, which,
                dsp_extent_text(&e->dims, along->extent));
  add_norm(k, &n, out);
  dsp_line(out, "while (%s.next()) {", n.object);
  out->indent++;
  dsp_line(out, "if (!%s.there) continue;", n.object);
  DspText body = {.indent = out->indent};
  add_params(k, &n, "", &body);
  add_expression(k, &n, n.expr, &body);
  if (body.data && dsp_mentions(body.data, nest.axes[0].index))
    dsp_line(out, "const %s %s = %s.row;", k->index, nest.axes[0].index,
             n.object);
  dsp_text(out, "%s", body.data ? body.data : "");
  dsp_text_free(&body);
  dsp_line(out, "%s.store();", n.object);
  out->indent--;
  dsp_line(out, "}");
  k->nest = outer;
  k->width = 1;
}
