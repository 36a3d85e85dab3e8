// sema.h - what the files of lib/sema share.
#ifndef DSPC_LIB_SEMA_SEMA_H
#define DSPC_LIB_SEMA_SEMA_H

#include "dspc/sema/model.h"

enum { DSP_NONE = UINT32_MAX, DSP_MAX_VALUES = 16, DSP_DEEPEST_CALL = 64 };

typedef enum DspBindingKind {
  DSP_BOUND_VALUE,
  DSP_BOUND_DIM,  ///< a dim, or the dims of an `over`
  DSP_BOUND_CONST,
  DSP_BOUND_TYPE,
  DSP_BOUND_BLOCK,
  DSP_BOUND_ERROR, ///< declared, but wrongly: stays silent
} DspBindingKind;

typedef struct DspBinding {
  DspStr name;
  DspRange range;
  DspBindingKind kind;
  uint32_t value;       ///< VALUE
  DspAtoms atoms;       ///< DIM
  uint32_t dim;         ///< DIM: the entry, or DSP_NONE
  double number;        ///< CONST
  bool is_loop;         ///< CONST: an index of a repeat
  DspElement element;   ///< TYPE
  const DspStmt *block; ///< BLOCK
} DspBinding;

typedef struct DspScope {
  struct DspScope *parent;
  DspBinding *list;
  size_t count, capacity;
  bool is_block; ///< values of enclosing scopes are not seen from here
} DspScope;

/// Where the evaluation is: prefix of parameter paths, stage, call depth.
typedef struct DspWhere {
  DspStr path;     ///< concrete
  DspStr pattern;  ///< with the indices of stage loops in braces
  DspLoopInfo loops[DSP_MODEL_MAX_LOOPS];
  size_t nloops;
  int depth;
  bool in_stage; ///< inside an outermost block call
  DspRange call; ///< of the innermost call
  bool in_call;
} DspWhere;

typedef struct DspSema {
  DspArena *arena;
  DspDiags *diags;
  DspModel *model;
  const DspAst *ast;
  const DspDefine *defines;
  bool *define_used;
  size_t ndefines;
  DspScope *scope;
  DspScope *closed; ///< a list by `parent`, to be opened again
  DspWhere where;
  uint32_t stage;    ///< at work, or DSP_NONE
  DspStr stage_path; ///< its prefix of parameter paths, concrete
  DspElement default_element;
  size_t dims_capacity, values_capacity, ops_capacity, stages_capacity;
  uint32_t nrepeats;
  uint32_t *returned; ///< of the block at work
  size_t nreturned;
  bool has_returned;
  DspBinding *outputs; ///< `output x;`, settled at the end
  size_t noutputs;
} DspSema;

/// A result of an expression: up to DSP_MAX_VALUES values, or a number.
typedef struct DspResult {
  bool failed; ///< an error was reported
  bool is_number;
  double number;
  uint32_t values[DSP_MAX_VALUES];
  size_t count;
} DspResult;

// scope.c
void dsp_scope_open(DspSema *s, bool is_block);
void dsp_scope_close(DspSema *s);
DspBinding *dsp_bind(DspSema *s, DspName name, DspBindingKind kind);
DspBinding *dsp_lookup(DspSema *s, DspStr name);
/// The binding, or an error with a suggestion.
DspBinding *dsp_need(DspSema *s, DspName name, const char *what);
DspDiag *dsp_sema_error(DspSema *s, DspDiagId id, DspRange range,
                        const char *format, ...)
    __attribute__((format(printf, 4, 5)));
DspStr dsp_sema_text(DspSema *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// dims.c
void dsp_declare_dim(DspSema *s, DspName name, const DspExpr *value);
/// Reads a dim expression: a name, a product, an integer.
bool dsp_read_dim(DspSema *s, const DspExpr *expr, DspAtoms *atoms);
/// Reads a dim, or a list of them; `file` may be NULL, else receives the size
/// of each dim as written.
bool dsp_read_dims(DspSema *s, const DspExpr *expr, DspAtoms *atoms,
                   int64_t *file, size_t *nfile);
bool dsp_read_type(DspSema *s, const DspTypeSyntax *syntax, bool allow_inline,
                   DspValueType *type, int64_t **file, size_t *nfile,
                   bool *has_element);
bool dsp_parse_element(DspStr name, DspElement *element);
int64_t dsp_atoms_size(const DspSema *s, const DspAtoms *atoms);
bool dsp_atoms_equal(const DspAtoms *a, const DspAtoms *b);
/// Position of `id` in `atoms`, or -1.
int dsp_atoms_find(const DspAtoms *atoms, uint32_t id);
void dsp_atoms_add(DspAtoms *atoms, uint32_t id);
/// "[B, T, S, C]", products folded, for messages.
DspStr dsp_atoms_text(DspSema *s, const DspAtoms *atoms);

// expr.c
DspResult dsp_eval(DspSema *s, const DspExpr *expr);
bool dsp_eval_value(DspSema *s, const DspExpr *expr, uint32_t *value);
bool dsp_eval_number(DspSema *s, const DspExpr *expr, double *number);
bool dsp_eval_integer(DspSema *s, const DspExpr *expr, int64_t *number);
DspStr dsp_eval_string(DspSema *s, const DspExpr *expr, bool keep_loops);
uint32_t dsp_add_op(DspSema *s, DspModelOp op, DspValueType type);
uint32_t *dsp_ids(DspSema *s, size_t n, const uint32_t *ids);
uint32_t dsp_add_param(DspSema *s, DspRange range, DspStr rel,
                       DspValueType type, const int64_t *file, size_t nfile);
const DspValueType *dsp_type_of(const DspSema *s, uint32_t value);

/// Opens the stage that the next ops belong to.
void dsp_open_stage(DspSema *s, DspStr name, DspStr args);

// ops.c
bool dsp_is_op(DspStr name);
DspResult dsp_eval_op(DspSema *s, const DspExpr *call);
bool dsp_merge_atoms(const DspAtoms *a, const DspAtoms *b, DspAtoms *out);

// statements.c
DspResult dsp_eval_block(DspSema *s, const DspExpr *call,
                         const DspBinding *block);
void dsp_run(DspSema *s, DspStmt *const *stmts, size_t count);

#endif
