// ast.h - the tree of a model file.  Every node keeps its place.
#ifndef DSPC_SYNTAX_AST_H
#define DSPC_SYNTAX_AST_H

#include <stdbool.h>

#include "dspc/support/diag.h"

typedef struct DspName {
  DspStr text;
  DspRange range;
} DspName;

typedef enum DspExprKind {
  DSP_EXPR_NUMBER,
  DSP_EXPR_NAME,
  DSP_EXPR_STRING,
  DSP_EXPR_LIST,   ///< [a, b]: items
  DSP_EXPR_CALL,   ///< name(items) at path
  DSP_EXPR_UNARY,  ///< op items[0]
  DSP_EXPR_BINARY, ///< items[0] op items[1]
  DSP_EXPR_ARROW,  ///< items[0] -> items[1], an argument
  DSP_EXPR_NAMED,  ///< name: items[0], an argument
  DSP_EXPR_OVER,   ///< over items[0], an argument
  DSP_EXPR_INDEX,  ///< items[0][name: items[1]]
} DspExprKind;

/// Operators: their character, or one of these.
enum {
  DSP_EQUAL = 256,
  DSP_UNEQUAL,
  DSP_AT_MOST,
  DSP_AT_LEAST,
  DSP_AND,
  DSP_OR,
  DSP_NOT ///< UNARY
};

typedef struct DspExpr {
  DspExprKind kind;
  DspRange range;
  int op;
  double number;
  bool is_integer;
  DspName name; ///< of NAME, CALL, NAMED, INDEX; the text of a STRING
  struct DspExpr **items;
  size_t nitems;
  struct DspExpr *path; ///< of a CALL: a STRING, or NULL
  int height;           ///< levels of items below: walkers recurse so deep
} DspExpr;

/// A type: an element type (empty text: none) and dims; a dim that is declared
/// in place is a NAMED.
typedef struct DspTypeSyntax {
  DspName element;
  DspExpr **dims;
  size_t ndims;
  DspRange range;
} DspTypeSyntax;

typedef enum DspStmtKind {
  DSP_STMT_DIM,    ///< names[0] = value
  DSP_STMT_CONST,  ///< names[0] = value
  DSP_STMT_TYPE,   ///< names[0] = names[1]
  DSP_STMT_INPUT,  ///< names[0] : type
  DSP_STMT_OUTPUT, ///< names[0] [= value]
  DSP_STMT_BLOCK,  ///< names[0] (params) body
  DSP_STMT_LET,    ///< let names = value
  DSP_STMT_ASSIGN, ///< names = value
  DSP_STMT_PARAM,  ///< names[0] : type = value, a STRING
  DSP_STMT_REPEAT, ///< value times as names[0] [at path] body
  DSP_STMT_IF,     ///< value body [otherwise]
  DSP_STMT_RETURN, ///< values
  DSP_STMT_PIN,    ///< names[0] on names[1]
} DspStmtKind;

typedef enum DspBlockParamKind {
  DSP_PARAM_VALUE,
  DSP_PARAM_OVER, ///< `over A`: the dims of the call's `over`
  DSP_PARAM_DIM,  ///< `dim A`: a dim given by name
  DSP_PARAM_CONST ///< `const n`: a number given by name
} DspBlockParamKind;

typedef struct DspBlockParam {
  DspBlockParamKind kind;
  DspName name;
} DspBlockParam;

typedef struct DspStmt {
  DspStmtKind kind;
  DspRange range;
  DspName *names;
  size_t nnames;
  DspTypeSyntax type;
  DspExpr *value;
  DspExpr **values;
  size_t nvalues;
  DspExpr *path;
  DspBlockParam *params;
  size_t nparams;
  struct DspStmt **body;
  size_t nbody;
  struct DspStmt **otherwise;
  size_t notherwise;
} DspStmt;

typedef struct DspAst {
  const DspSource *source;
  DspName model;
  DspStmt **items;
  size_t nitems;
} DspAst;

/// Parses a file.  Errors go to `diags`; what could be read is returned.
DspAst *dsp_parse(DspArena *arena, const DspSource *source, DspDiags *diags);

/// Is `text` a name, and none of the words of the language?
bool dsp_is_identifier(DspStr text);

/// Prints a tree without errors as text that parses to the same tree.
void dsp_ast_print(const DspAst *ast, FILE *out);

/// Prints every token of a file, one a line: place, kind, text.
void dsp_tokens_print(const DspSource *source, DspDiags *diags, FILE *out);

#endif
