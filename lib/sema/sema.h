// sema.h - what the files of lib/sema share.
#ifndef DSPC_LIB_SEMA_SEMA_H
#define DSPC_LIB_SEMA_SEMA_H

#include "dspc/sema/model.h"

enum { DSP_NONE = UINT32_MAX, DSP_MAX_VALUES = 16, DSP_DEEPEST_CALL = 64 };

/// Positions of a dim, and bytes of a value.
#define DSP_MAX_SIZE ((int64_t)1 << 40)
#define DSP_MAX_BYTES ((int64_t)1 << 62)

typedef enum DspBindingKind {
  DSP_BOUND_VALUE,
  DSP_BOUND_DIM, ///< a dim, or the dims of an `over`
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
  DspStr variable;      ///< of an index: its name in patterns
  DspElement element;   ///< TYPE
  const DspStmt *block; ///< BLOCK
} DspBinding;

typedef struct DspScope {
  struct DspScope *parent;
  DspBinding *list;
  size_t count, capacity;
  bool is_block; ///< values of enclosing scopes are not seen from here
} DspScope;

/// What a name should stand for.
typedef enum DspWanted {
  DSP_WANT_VALUE,    ///< or a number
  DSP_WANT_VARIABLE, ///< a value
  DSP_WANT_DIM,      ///< or a number
  DSP_WANT_NUMBER,
  DSP_WANT_CALL, ///< an op or a block
} DspWanted;

/// Where the evaluation is: prefix of parameter paths, stage, call depth.
typedef struct DspWhere {
  DspStr path;    ///< concrete
  DspStr pattern; ///< with the indices of stage loops in braces
  DspLoopInfo loops[DSP_MODEL_MAX_LOOPS];
  size_t nloops;
  int depth;
  bool in_stage;              ///< inside an outermost block call
  const DspStmt *block;       ///< the one at work, or NULL
  const DspStmt *stage_block; ///< the outermost of the calls
  DspRange call;              ///< of the innermost call
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
  bool in_const;   ///< a const is at work: dims are their sizes
  uint32_t *returned; ///< of the block at work
  size_t nreturned;
  bool has_returned;
  uint32_t *params; ///< ops by path: a table with DSP_NONE for free slots
  size_t nparams, params_capacity; ///< a power of two
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
/// A block sees its own names and those of the model that are no values.
DspBinding *dsp_lookup(DspSema *s, DspStr name);
/// The binding, or an error with a suggestion.
DspBinding *dsp_need(DspSema *s, DspName name, DspWanted wanted);
/// Is `name` declared already?  An error then.
bool dsp_is_taken(DspSema *s, DspName name);
void dsp_declared_twice(DspSema *s, DspName name, DspRange first);
/// The same for a name that may hide a value, but nothing else.
bool dsp_hides(DspSema *s, DspName name);
/// The text that -D gives to `name`, or an empty one without data.
DspStr dsp_defined(DspSema *s, DspName name);
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
bool dsp_read_element(DspSema *s, DspName name, DspElement *element);
/// The error E0305 with the types that there are.
void dsp_no_element(DspSema *s, DspRange range, DspStr name);
/// Positions; INT64_MAX when there are more.
int64_t dsp_atoms_size(const DspSema *s, const DspAtoms *atoms);
bool dsp_atoms_equal(const DspAtoms *a, const DspAtoms *b);
/// Position of `id` in `atoms`, or -1.
int dsp_atoms_find(const DspAtoms *atoms, uint32_t id);
void dsp_atoms_add(DspAtoms *atoms, uint32_t id);
/// Adds all of `more`; an error when they are too many.
bool dsp_atoms_append(DspSema *s, DspRange range, DspAtoms *atoms,
                      const DspAtoms *more);
/// An error when one of `atoms` stands there twice; `where` says where that is,
/// NULL for the result of an op.
bool dsp_atoms_distinct(DspSema *s, DspRange range, const DspAtoms *atoms,
                        const char *where);
/// Position of `part` in `atoms`, side by side and in order, or -1.
int dsp_atoms_part(const DspAtoms *atoms, const DspAtoms *part);
/// "dim 'C'", or "factor 3".
DspStr dsp_atom_text(DspSema *s, uint32_t id);
/// A note at the declaration of an atom that has one.
void dsp_note_atom(DspSema *s, DspDiag *diag, uint32_t id);
/// "[B, T, S, C]", products folded, for messages.
DspStr dsp_atoms_text(DspSema *s, const DspAtoms *atoms);

// ops_maps.c
/// An elementwise op of n values or numbers, or the number that it is;
/// messages call it `text`.
DspResult dsp_map(DspSema *s, DspRange range, const char *function,
                  const char *text, size_t n, const DspResult *args);

// expr.c
DspResult dsp_value_result(uint32_t value);
/// A number, or an error when it is not finite and nothing in it was.
DspResult dsp_number_result(DspSema *s, DspRange range, double number,
                            bool may_be_infinite);
/// Is it one value or number?  An error when not.
bool dsp_one_value(DspSema *s, const DspExpr *expr, const DspResult *r);
DspResult dsp_eval(DspSema *s, const DspExpr *expr);
bool dsp_eval_value(DspSema *s, const DspExpr *expr, uint32_t *value);
bool dsp_eval_number(DspSema *s, const DspExpr *expr, double *number);
bool dsp_eval_integer(DspSema *s, const DspExpr *expr, int64_t *number);
uint32_t dsp_add_op(DspSema *s, DspModelOp op, DspValueType type);
uint32_t *dsp_ids(DspSema *s, size_t n, const uint32_t *ids);
const DspValueType *dsp_type_of(const DspSema *s, uint32_t value);

/// Opens the stage that the next ops belong to.
void dsp_open_stage(DspSema *s, DspStr name, DspStr args);

// params.c
/// A path with {name} replaced by the number that the name stands for; with
/// `keep_loops` the indices of repeats stay.  Without data after an error.
DspStr dsp_eval_path(DspSema *s, const DspExpr *expr, bool keep_loops);
/// Prefixes the paths of what follows; `path` may be NULL.
bool dsp_enter_path(DspSema *s, const DspExpr *path);
uint32_t dsp_add_param(DspSema *s, DspRange range, DspStr rel,
                       DspValueType type, const int64_t *file, size_t nfile);

// ops.c
bool dsp_is_op(DspStr name);
/// Writes the names of all ops; returns how many there are.
size_t dsp_op_names(DspStr *names, size_t most);
DspResult dsp_eval_op(DspSema *s, const DspExpr *call);
bool dsp_merge_atoms(const DspAtoms *a, const DspAtoms *b, DspAtoms *out);
const char *dsp_element_name(DspElement element);
/// An error when the value has elements that are no real numbers.
bool dsp_need_real(DspSema *s, DspRange range, const char *op, uint32_t value);

// block.c
DspResult dsp_eval_block(DspSema *s, const DspExpr *call,
                         const DspBinding *block);
void dsp_declare_block(DspSema *s, const DspStmt *stmt);

// statements.c
void dsp_run(DspSema *s, DspStmt *const *stmts, size_t count);

#endif
