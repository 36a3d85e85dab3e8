// parser.c - tokens to a tree, by recursive descent; each function carries the
// rule that it reads.  After an error it goes on behind the next ';' or '}'.
// The rules of expressions are in parse_expr.c.
#include <string.h>

#include "dspc/syntax/ast.h"
#include "parser.h"

/// type = [ IDENT ] "[" dim { "," dim } "]"
static DspTypeSyntax parse_type(DspParser *p) {
  DspTypeSyntax type = {.range = p->token.range};
  if (!dsp_at_sign(p, '['))
    type.element = dsp_parse_name(p, "a type like f32[B, C]");
  dsp_expect_sign(p, '[');
  DspList dims = dsp_parse_list(p, ']', dsp_parse_dim);
  type.dims = (DspExpr **)(void *)dims.items;
  type.ndims = dims.count;
  type.range.end = p->token.range.end;
  dsp_expect_sign(p, ']');
  return type;
}

/// A statement; its place is the token at hand, the keyword if it has one.
static DspStmt *new_stmt(DspParser *p, DspStmtKind kind, size_t nnames) {
  DspStmt *stmt = dsp_arena_alloc(p->arena, sizeof *stmt);
  *stmt = (DspStmt){.kind = kind, .range = p->token.range, .nnames = nnames};
  stmt->names = dsp_arena_alloc(p->arena, (nnames + 1) * sizeof(DspName));
  memset(stmt->names, 0, (nnames + 1) * sizeof(DspName));
  return stmt;
}

static DspStmt *parse_stmt(DspParser *p);
static void parse_stmts(DspParser *p, DspList *out, bool model);

static void parse_body(DspParser *p, DspStmt ***body, size_t *count) {
  DspList list = {0};
  dsp_expect_sign(p, '{');
  bool fits = ++p->depth <= DSP_DEEPEST || dsp_too_deep(p);
  if (fits && !p->panic) {
    parse_stmts(p, &list, false);
    dsp_expect_sign(p, '}');
  }
  p->depth--;
  *body = (DspStmt **)(void *)list.items;
  *count = list.count;
}

/// IDENT "=" expr, a declaration
static DspStmt *parse_definition(DspParser *p, DspStmtKind kind) {
  DspStmt *stmt = new_stmt(p, kind, 1);
  stmt->names[0] = dsp_parse_name(p, "a name");
  dsp_expect_sign(p, '=');
  stmt->value = dsp_parse_expr(p);
  return stmt;
}

static DspStmt *parse_input(DspParser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_INPUT, 1);
  stmt->names[0] = dsp_parse_name(p, "the name of an input");
  dsp_expect_sign(p, ':');
  stmt->type = parse_type(p);
  return stmt;
}

static DspStmt *parse_output(DspParser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_OUTPUT, 1);
  if (p->token.kind == DSP_TOKEN_STRING)
    stmt->names[0] = dsp_parse_string(p, "a name")->name;
  else
    stmt->names[0] = dsp_parse_name(p, "the name of an output");
  if (dsp_take_sign(p, '=')) stmt->value = dsp_parse_expr(p);
  return stmt;
}

static DspStmt *parse_dim_item(DspParser *p) {
  return parse_definition(p, DSP_STMT_DIM);
}

static DspStmt *parse_const_item(DspParser *p) {
  return parse_definition(p, DSP_STMT_CONST);
}

static DspStmt *parse_type_item(DspParser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_TYPE, 2);
  stmt->names[0] = dsp_parse_name(p, "a name");
  dsp_expect_sign(p, '=');
  stmt->names[1] = dsp_parse_name(p, "an element type: f32, bf16, f16 or i32");
  return stmt;
}

/// bparam = IDENT | ("over" | "dim" | "const") IDENT
static DspBlockParam parse_block_param(DspParser *p) {
  DspBlockParam param = {.kind = DSP_PARAM_VALUE};
  if (dsp_take_word(p, "over"))
    param.kind = DSP_PARAM_OVER;
  else if (dsp_take_word(p, "dim"))
    param.kind = DSP_PARAM_DIM;
  else if (dsp_take_word(p, "const"))
    param.kind = DSP_PARAM_CONST;
  param.name = dsp_parse_name(p, "the name of a parameter");
  return param;
}

/// "block" IDENT "(" [ bparam { "," bparam } ] ")" "{" stmts "}"
static DspStmt *parse_block(DspParser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_BLOCK, 1);
  stmt->names[0] = dsp_parse_name(p, "the name of the block");
  dsp_expect_sign(p, '(');
  size_t capacity = 0;
  if (!dsp_at_sign(p, ')')) do {
      if (stmt->nparams == capacity) {
        capacity = capacity ? 2 * capacity : 4;
        DspBlockParam *grown =
            dsp_arena_alloc(p->arena, capacity * sizeof *grown);
        if (stmt->nparams)
          memcpy(grown, stmt->params, stmt->nparams * sizeof *grown);
        stmt->params = grown;
      }
      stmt->params[stmt->nparams++] = parse_block_param(p);
    } while (!p->panic && dsp_take_sign(p, ','));
  dsp_expect_sign(p, ')');
  parse_body(p, &stmt->body, &stmt->nbody);
  return stmt;
}

/// "param" IDENT ":" type "=" STRING ";"
static DspStmt *parse_param(DspParser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_PARAM, 1);
  dsp_parser_next(p);
  stmt->names[0] = dsp_parse_name(p, "the name of a parameter");
  dsp_expect_sign(p, ':');
  stmt->type = parse_type(p);
  dsp_expect_sign(p, '=');
  stmt->value = dsp_parse_string(p, "the tensor's name in quotes");
  dsp_expect_sign(p, ';');
  return stmt;
}

/// "repeat" expr "as" IDENT [ "at" STRING ] "{" stmts "}"
static DspStmt *parse_repeat(DspParser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_REPEAT, 1);
  dsp_parser_next(p);
  stmt->value = dsp_parse_expr(p);
  if (!dsp_take_word(p, "as")) dsp_expected(p, "'as'");
  stmt->names[0] = dsp_parse_name(p, "the name of the index");
  stmt->path = dsp_parse_path(p);
  parse_body(p, &stmt->body, &stmt->nbody);
  return stmt;
}

/// "if" expr "{" stmts "}" [ "else" ( if | "{" stmts "}" ) ]
static DspStmt *parse_if(DspParser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_IF, 0);
  dsp_parser_next(p);
  stmt->value = dsp_parse_expr(p);
  parse_body(p, &stmt->body, &stmt->nbody);
  if (!dsp_take_word(p, "else")) return stmt;
  if (dsp_at_word(p, "if")) {
    DspList list = {0};
    if (++p->depth <= DSP_DEEPEST || dsp_too_deep(p))
      dsp_list_add(p, &list, parse_if(p));
    p->depth--;
    stmt->otherwise = (DspStmt **)(void *)list.items;
    stmt->notherwise = list.count;
  } else {
    parse_body(p, &stmt->otherwise, &stmt->notherwise);
  }
  return stmt;
}

static DspStmt *parse_return(DspParser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_RETURN, 0);
  dsp_parser_next(p);
  DspList values = {0};
  do dsp_list_add(p, &values, dsp_parse_expr(p));
  while (!p->panic && dsp_take_sign(p, ','));
  stmt->values = (DspExpr **)(void *)values.items;
  stmt->nvalues = values.count;
  dsp_expect_sign(p, ';');
  return stmt;
}

static DspStmt *parse_pin(DspParser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_PIN, 2);
  dsp_parser_next(p);
  stmt->names[0] = dsp_parse_name(p, "the name of a value");
  if (!dsp_take_word(p, "on")) dsp_expected(p, "'on'");
  stmt->names[1] = dsp_parse_name(p, "the name of a dim");
  dsp_expect_sign(p, ';');
  return stmt;
}

/// [ "let" ] IDENT { "," IDENT } "=" expr ";"
static DspStmt *parse_binding(DspParser *p, DspStmtKind kind) {
  DspStmt *stmt = new_stmt(p, kind, 0);
  size_t capacity = 0;
  do {
    if (stmt->nnames == capacity) {
      capacity = capacity ? 2 * capacity : 4;
      DspName *grown = dsp_arena_alloc(p->arena, capacity * sizeof *grown);
      if (stmt->nnames)
        memcpy(grown, stmt->names, stmt->nnames * sizeof *grown);
      stmt->names = grown;
    }
    stmt->names[stmt->nnames++] = dsp_parse_name(p, "a statement");
  } while (!p->panic && dsp_take_sign(p, ','));
  dsp_expect_sign(p, '=');
  stmt->value = dsp_parse_expr(p);
  stmt->range.end = stmt->value->range.end;
  dsp_expect_sign(p, ';');
  return stmt;
}

/// `output y;` in a repeat, and the like.
static void fail_at_declaration(DspParser *p) {
  static const char *const words[] = {"dim",   "const",  "type",
                                      "input", "output", "block"};
  bool declares = false;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    declares |= dsp_at_word(p, words[i]);
  if (p->panic || p->token.kind != DSP_TOKEN_NAME || !declares) return;
  p->panic = true;
  DspDiag *diag =
      dsp_error(p->diags, DSP_E0201, p->token.range,
                "expected a statement, found the declaration '%.*s'",
                DSP_FMT(p->token.text));
  dsp_help(p->diags, diag,
           "dims, consts, types, inputs, outputs and blocks stand in the "
           "model itself, not in a block, repeat or if");
}

static DspStmt *parse_stmt(DspParser *p) {
  if (dsp_take_word(p, "let")) return parse_binding(p, DSP_STMT_LET);
  if (dsp_at_word(p, "param")) return parse_param(p);
  if (dsp_at_word(p, "repeat")) return parse_repeat(p);
  if (dsp_at_word(p, "if")) return parse_if(p);
  if (dsp_at_word(p, "return")) return parse_return(p);
  if (dsp_at_word(p, "pin")) return parse_pin(p);
  if (dsp_is_reserved(p->token.text)) fail_at_declaration(p);
  return parse_binding(p, DSP_STMT_ASSIGN);
}

/// item { "," item } ";"
static void parse_items(DspParser *p, DspList *out,
                        DspStmt *(*item)(DspParser *)) {
  do dsp_list_add(p, out, item(p));
  while (!p->panic && dsp_take_sign(p, ','));
  dsp_expect_sign(p, ';');
}

static void parse_model_item(DspParser *p, DspList *out) {
  if (dsp_take_word(p, "dim"))
    parse_items(p, out, parse_dim_item);
  else if (dsp_take_word(p, "const"))
    parse_items(p, out, parse_const_item);
  else if (dsp_take_word(p, "type"))
    parse_items(p, out, parse_type_item);
  else if (dsp_take_word(p, "input"))
    parse_items(p, out, parse_input);
  else if (dsp_take_word(p, "output"))
    parse_items(p, out, parse_output);
  else if (dsp_take_word(p, "block"))
    dsp_list_add(p, out, parse_block(p));
  else
    dsp_list_add(p, out, parse_stmt(p));
}

/// Skips to behind the next ';', or to a '}'.
static void recover(DspParser *p) {
  int open = 0;
  while (p->token.kind != DSP_TOKEN_END) {
    if (dsp_at_sign(p, '{')) open++;
    if (dsp_at_sign(p, '}') && open-- == 0) break;
    bool done = open == 0 && (dsp_at_sign(p, ';') || dsp_at_sign(p, '}'));
    dsp_parser_next(p);
    if (done) break;
  }
  p->panic = false;
}

static void parse_stmts(DspParser *p, DspList *out, bool model) {
  while (p->token.kind != DSP_TOKEN_END && !dsp_at_sign(p, '}')) {
    uint32_t before = p->token.range.begin;
    if (model)
      parse_model_item(p, out);
    else
      dsp_list_add(p, out, parse_stmt(p));
    if (!p->panic) continue;
    recover(p);
    if (p->token.range.begin == before) dsp_parser_next(p);
  }
}

/// file = "model" IDENT "{" { item } "}"
DspAst *dsp_parse(DspArena *arena, const DspSource *source, DspDiags *diags) {
  DspParser p = {.arena = arena,
                 .diags = diags,
                 .lexer = {.source = source, .diags = diags}};
  DspAst *ast = dsp_arena_alloc(arena, sizeof *ast);
  *ast = (DspAst){.source = source};
  dsp_parser_next(&p);
  if (!dsp_take_word(&p, "model")) dsp_expected(&p, "'model'");
  ast->model = dsp_parse_name(&p, "the name of the model");
  dsp_expect_sign(&p, '{');
  if (p.panic) return ast;
  DspList items = {0};
  parse_stmts(&p, &items, true);
  dsp_expect_sign(&p, '}');
  if (!p.panic && p.token.kind != DSP_TOKEN_END)
    dsp_expected(&p, "the end of the file");
  ast->items = (DspStmt **)(void *)items.items;
  ast->nitems = items.count;
  return ast;
}
