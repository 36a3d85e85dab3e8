// parser.c - tokens to a tree, by recursive descent; each function carries the
// rule that it reads.  After an error it goes on behind the next ';' or '}'.
#include <ctype.h>
#include <string.h>

#include "dspc/syntax/ast.h"
#include "lexer.h"

enum {
  DEEPEST = 200, ///< levels of nesting while parsing
  TALLEST = 500, ///< levels of one expression's tree: a + a + a + ...
};

typedef struct Parser {
  DspArena *arena;
  DspDiags *diags;
  DspLexer lexer;
  DspToken token;
  bool panic; ///< an error was reported; quiet until the next statement
  int depth;
} Parser;

/// A growing array of pointers.
typedef struct List {
  void **items;
  size_t count, capacity;
} List;

static void add(Parser *p, List *list, void *item) {
  if (list->count == list->capacity) {
    list->capacity = list->capacity ? 2 * list->capacity : 4;
    void **grown = dsp_arena_alloc(p->arena, list->capacity * sizeof *grown);
    if (list->count) memcpy(grown, list->items, list->count * sizeof *grown);
    list->items = grown;
  }
  list->items[list->count++] = item;
}

static void next(Parser *p) { p->token = dsp_lex_next(&p->lexer); }

static bool at_sign(const Parser *p, int sign) {
  return p->token.kind == DSP_TOKEN_SIGN && p->token.sign == sign;
}

static bool at_word(const Parser *p, const char *word) {
  return p->token.kind == DSP_TOKEN_NAME && dsp_str_equal_c(p->token.text, word);
}

static bool take_sign(Parser *p, int sign) {
  if (!at_sign(p, sign)) return false;
  next(p);
  return true;
}

static bool take_word(Parser *p, const char *word) {
  if (!at_word(p, word)) return false;
  next(p);
  return true;
}

static void fail(Parser *p, const char *needed) {
  if (p->panic) return;
  p->panic = true;
  if (p->token.kind == DSP_TOKEN_END)
    dsp_error(p->diags, DSP_E0201, p->token.range,
              "expected %s, found the end of the file", needed);
  else
    dsp_error(p->diags, DSP_E0201, p->token.range,
              "expected %s, found '%.*s'", needed, DSP_FMT(p->token.text));
}

static void expect_sign(Parser *p, int sign) {
  char needed[4] = {'\'', (char)sign, '\'', '\0'};
  if (p->panic) return; // what stands here is for recover
  if (!take_sign(p, sign)) fail(p, needed);
}

static const char *const reserved[] = {
    "model", "dim",  "const",  "type", "input", "output", "block",
    "let",   "at",   "param",  "if",   "else",  "repeat", "as",
    "over",  "return", "pin",  "on",
};

static bool is_reserved(DspStr text) {
  for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
    if (dsp_str_equal_c(text, reserved[i])) return true;
  return false;
}

bool dsp_is_identifier(DspStr text) {
  for (size_t i = 0; i < text.length; i++) {
    unsigned char c = (unsigned char)text.data[i];
    bool letter = c == '_' || (c < 0x80 && isalpha(c));
    if (!letter && !(i && c < 0x80 && isdigit(c))) return false;
  }
  return text.length > 0 && !is_reserved(text);
}

static DspName parse_name(Parser *p, const char *what) {
  DspName name = {p->token.text, p->token.range};
  if (p->token.kind == DSP_TOKEN_NAME && !is_reserved(p->token.text))
    next(p);
  else
    fail(p, what);
  return name;
}

static DspExpr *new_expr(Parser *p, DspExprKind kind, uint32_t begin) {
  DspExpr *expr = dsp_arena_alloc(p->arena, sizeof *expr);
  *expr = (DspExpr){.kind = kind, .range = {begin, begin}};
  return expr;
}

static void set_items(Parser *p, DspExpr *expr, List list) {
  expr->items = (DspExpr **)(void *)list.items;
  expr->nitems = list.count;
  for (size_t i = 0; i < list.count; i++)
    if (expr->items[i]->height >= expr->height)
      expr->height = expr->items[i]->height + 1;
  if (expr->height <= TALLEST || p->panic) return;
  p->panic = true;
  DspDiag *diag = dsp_error(p->diags, DSP_E0202, p->token.range,
                            "an expression of more than %d levels", TALLEST);
  dsp_help(p->diags, diag, "give a part of it a name with 'let'");
}

static DspExpr *finish(DspExpr *expr, uint32_t end) {
  expr->range.end = end;
  return expr;
}

static DspExpr *parse_expr(Parser *p);

/// string = STRING
static DspExpr *parse_string(Parser *p, const char *what) {
  DspExpr *expr = new_expr(p, DSP_EXPR_STRING, p->token.range.begin);
  expr->name = (DspName){p->token.text, p->token.range};
  finish(expr, p->token.range.end);
  if (p->token.kind == DSP_TOKEN_STRING)
    next(p);
  else
    fail(p, what);
  return expr;
}

/// [ "at" STRING ]
static DspExpr *parse_path(Parser *p) {
  return take_word(p, "at") ? parse_string(p, "a path in quotes") : NULL;
}

static DspExpr *wrap(Parser *p, DspExprKind kind, DspExpr *first,
                     DspExpr *second) {
  DspExpr *expr = new_expr(p, kind, first->range.begin);
  List list = {0};
  add(p, &list, first);
  if (second) add(p, &list, second);
  set_items(p, expr, list);
  return finish(expr, second ? second->range.end : first->range.end);
}

/// arg = "over" expr | expr "->" expr | IDENT ":" expr | expr
static DspExpr *parse_arg(Parser *p) {
  uint32_t begin = p->token.range.begin;
  if (take_word(p, "over")) {
    DspExpr *over = wrap(p, DSP_EXPR_OVER, parse_expr(p), NULL);
    over->range.begin = begin;
    return over;
  }
  DspExpr *expr = parse_expr(p);
  if (p->token.kind == DSP_TOKEN_ARROW) {
    next(p);
    return wrap(p, DSP_EXPR_ARROW, expr, parse_expr(p));
  }
  if (expr->kind == DSP_EXPR_NAME && take_sign(p, ':')) {
    DspExpr *named = wrap(p, DSP_EXPR_NAMED, parse_expr(p), NULL);
    named->name = expr->name;
    named->range.begin = begin;
    return named;
  }
  return expr;
}

/// item { "," item } up to `close`
static List parse_list(Parser *p, int close, DspExpr *(*item)(Parser *)) {
  List list = {0};
  if (!at_sign(p, close)) do
      add(p, &list, item(p));
    while (!p->panic && take_sign(p, ','));
  return list;
}

/// call = IDENT "(" args ")" [ "at" STRING ]
static DspExpr *parse_call(Parser *p, DspExpr *name) {
  DspExpr *call = new_expr(p, DSP_EXPR_CALL, name->range.begin);
  call->name = name->name;
  set_items(p, call, parse_list(p, ')', parse_arg));
  uint32_t end = p->token.range.end;
  expect_sign(p, ')');
  call->path = parse_path(p);
  return finish(call, end);
}

/// primary = NUMBER | STRING | IDENT | call | "(" expr ")" | "[" list "]"
static DspExpr *parse_primary(Parser *p) {
  DspToken token = p->token;
  if (token.kind == DSP_TOKEN_STRING) return parse_string(p, "a string");
  DspExpr *expr = new_expr(p, DSP_EXPR_NUMBER, token.range.begin);
  finish(expr, token.range.end);
  if (token.kind == DSP_TOKEN_NUMBER) {
    next(p);
    expr->number = token.number;
    expr->is_integer = token.is_integer;
    return expr;
  }
  if (take_sign(p, '(')) {
    DspExpr *inner = parse_expr(p);
    expect_sign(p, ')');
    return inner;
  }
  if (take_sign(p, '[')) {
    expr->kind = DSP_EXPR_LIST;
    set_items(p, expr, parse_list(p, ']', parse_expr));
    finish(expr, p->token.range.end);
    expect_sign(p, ']');
    return expr;
  }
  expr->kind = DSP_EXPR_NAME;
  expr->name = parse_name(p, "an expression");
  return take_sign(p, '(') ? parse_call(p, expr) : expr;
}

/// postfix = primary { "[" IDENT ":" expr "]" }
static DspExpr *parse_postfix(Parser *p) {
  DspExpr *expr = parse_primary(p);
  while (!p->panic && take_sign(p, '[')) {
    DspName dim = parse_name(p, "the name of a dim");
    expect_sign(p, ':');
    expr = wrap(p, DSP_EXPR_INDEX, expr, parse_expr(p));
    expr->name = dim;
    finish(expr, p->token.range.end);
    expect_sign(p, ']');
  }
  return expr;
}

/// unary = "-" unary | postfix
static DspExpr *parse_unary(Parser *p) {
  uint32_t begin = p->token.range.begin;
  if (!take_sign(p, '-')) return parse_postfix(p);
  if (++p->depth > DEEPEST) {
    p->panic = true;
    dsp_error(p->diags, DSP_E0202, p->token.range,
              "more than %d levels of nesting", DEEPEST);
    return new_expr(p, DSP_EXPR_NUMBER, begin);
  }
  DspExpr *expr = wrap(p, DSP_EXPR_UNARY, parse_unary(p), NULL);
  p->depth--;
  expr->op = '-';
  expr->range.begin = begin;
  return expr;
}

/// The strength of the operator at hand; 0 when there is none.
static int strength(const Parser *p) {
  if (p->token.kind == DSP_TOKEN_COMPARE) return 1;
  if (p->token.kind != DSP_TOKEN_SIGN) return 0;
  switch (p->token.sign) {
  case '<':
  case '>': return 1;
  case '+':
  case '-': return 2;
  case '*':
  case '/': return 3;
  default: return 0;
  }
}

/// binary = unary { operator unary }, stronger operators first
static DspExpr *parse_binary(Parser *p, int least) {
  DspExpr *left = parse_unary(p);
  while (!p->panic && strength(p) >= least && strength(p) > 0) {
    int op = p->token.sign, own = strength(p);
    next(p);
    left = wrap(p, DSP_EXPR_BINARY, left, parse_binary(p, own + 1));
    left->op = op;
  }
  return left;
}

static DspExpr *parse_expr(Parser *p) {
  if (++p->depth > DEEPEST) {
    if (!p->panic)
      dsp_error(p->diags, DSP_E0202, p->token.range,
                "more than %d levels of nesting", DEEPEST);
    p->panic = true;
    p->depth--;
    return new_expr(p, DSP_EXPR_NUMBER, p->token.range.begin);
  }
  DspExpr *expr = parse_binary(p, 1);
  p->depth--;
  return expr;
}

/// dim = IDENT "=" expr | expr
static DspExpr *parse_dim(Parser *p) {
  DspExpr *expr = parse_expr(p);
  if (expr->kind != DSP_EXPR_NAME || !take_sign(p, '=')) return expr;
  DspExpr *named = wrap(p, DSP_EXPR_NAMED, parse_expr(p), NULL);
  named->name = expr->name;
  named->range.begin = expr->range.begin;
  return named;
}

/// type = [ IDENT ] "[" dim { "," dim } "]"
static DspTypeSyntax parse_type(Parser *p) {
  DspTypeSyntax type = {.range = p->token.range};
  if (!at_sign(p, '[')) type.element = parse_name(p, "a type like f32[B, C]");
  expect_sign(p, '[');
  List dims = parse_list(p, ']', parse_dim);
  type.dims = (DspExpr **)(void *)dims.items;
  type.ndims = dims.count;
  type.range.end = p->token.range.end;
  expect_sign(p, ']');
  return type;
}

static DspStmt *new_stmt(Parser *p, DspStmtKind kind, size_t nnames) {
  DspStmt *stmt = dsp_arena_alloc(p->arena, sizeof *stmt);
  *stmt = (DspStmt){.kind = kind, .range = p->token.range, .nnames = nnames};
  stmt->names = dsp_arena_alloc(p->arena, (nnames + 1) * sizeof(DspName));
  memset(stmt->names, 0, (nnames + 1) * sizeof(DspName));
  return stmt;
}

static DspStmt *parse_stmt(Parser *p);
static void parse_stmts(Parser *p, List *out, bool model);

static void parse_body(Parser *p, DspStmt ***body, size_t *count) {
  List list = {0};
  expect_sign(p, '{');
  if (++p->depth > DEEPEST) {
    fail(p, "less nesting");
  } else if (!p->panic) {
    parse_stmts(p, &list, false);
    expect_sign(p, '}');
  }
  p->depth--;
  *body = (DspStmt **)(void *)list.items;
  *count = list.count;
}

/// IDENT "=" expr, a declaration
static DspStmt *parse_definition(Parser *p, DspStmtKind kind) {
  DspStmt *stmt = new_stmt(p, kind, 1);
  stmt->names[0] = parse_name(p, "a name");
  expect_sign(p, '=');
  stmt->value = parse_expr(p);
  return stmt;
}

static DspStmt *parse_input(Parser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_INPUT, 1);
  stmt->names[0] = parse_name(p, "the name of an input");
  expect_sign(p, ':');
  stmt->type = parse_type(p);
  return stmt;
}

static DspStmt *parse_output(Parser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_OUTPUT, 1);
  if (p->token.kind == DSP_TOKEN_STRING)
    stmt->names[0] = parse_string(p, "a name")->name;
  else
    stmt->names[0] = parse_name(p, "the name of an output");
  if (take_sign(p, '=')) stmt->value = parse_expr(p);
  return stmt;
}

static DspStmt *parse_dim_item(Parser *p) {
  return parse_definition(p, DSP_STMT_DIM);
}

static DspStmt *parse_const_item(Parser *p) {
  return parse_definition(p, DSP_STMT_CONST);
}

static DspStmt *parse_type_item(Parser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_TYPE, 2);
  stmt->names[0] = parse_name(p, "a name");
  expect_sign(p, '=');
  stmt->names[1] = parse_name(p, "an element type: f32, bf16, f16 or i32");
  return stmt;
}

/// bparam = IDENT | ("over" | "dim" | "const") IDENT
static DspBlockParam parse_block_param(Parser *p) {
  DspBlockParam param = {.kind = DSP_PARAM_VALUE};
  if (take_word(p, "over"))
    param.kind = DSP_PARAM_OVER;
  else if (take_word(p, "dim"))
    param.kind = DSP_PARAM_DIM;
  else if (take_word(p, "const"))
    param.kind = DSP_PARAM_CONST;
  param.name = parse_name(p, "the name of a parameter");
  return param;
}

/// "block" IDENT "(" [ bparam { "," bparam } ] ")" "{" stmts "}"
static DspStmt *parse_block(Parser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_BLOCK, 1);
  stmt->names[0] = parse_name(p, "the name of the block");
  expect_sign(p, '(');
  size_t capacity = 0;
  if (!at_sign(p, ')')) do {
      if (stmt->nparams == capacity) {
        capacity = capacity ? 2 * capacity : 4;
        DspBlockParam *grown =
            dsp_arena_alloc(p->arena, capacity * sizeof *grown);
        if (stmt->nparams)
          memcpy(grown, stmt->params, stmt->nparams * sizeof *grown);
        stmt->params = grown;
      }
      stmt->params[stmt->nparams++] = parse_block_param(p);
    } while (!p->panic && take_sign(p, ','));
  expect_sign(p, ')');
  parse_body(p, &stmt->body, &stmt->nbody);
  return stmt;
}

/// "param" IDENT ":" type "=" STRING ";"
static DspStmt *parse_param(Parser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_PARAM, 1);
  stmt->names[0] = parse_name(p, "the name of a parameter");
  expect_sign(p, ':');
  stmt->type = parse_type(p);
  expect_sign(p, '=');
  stmt->value = parse_string(p, "the tensor's name in quotes");
  expect_sign(p, ';');
  return stmt;
}

/// "repeat" expr "as" IDENT [ "at" STRING ] "{" stmts "}"
static DspStmt *parse_repeat(Parser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_REPEAT, 1);
  stmt->value = parse_expr(p);
  if (!take_word(p, "as")) fail(p, "'as'");
  stmt->names[0] = parse_name(p, "the name of the index");
  stmt->path = parse_path(p);
  parse_body(p, &stmt->body, &stmt->nbody);
  return stmt;
}

/// "if" expr "{" stmts "}" [ "else" ( if | "{" stmts "}" ) ]
static DspStmt *parse_if(Parser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_IF, 0);
  stmt->value = parse_expr(p);
  parse_body(p, &stmt->body, &stmt->nbody);
  if (!take_word(p, "else")) return stmt;
  if (take_word(p, "if")) {
    List list = {0};
    if (++p->depth > DEEPEST)
      fail(p, "fewer branches");
    else
      add(p, &list, parse_if(p));
    p->depth--;
    stmt->otherwise = (DspStmt **)(void *)list.items;
    stmt->notherwise = list.count;
  } else {
    parse_body(p, &stmt->otherwise, &stmt->notherwise);
  }
  return stmt;
}

static DspStmt *parse_return(Parser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_RETURN, 0);
  List values = {0};
  do add(p, &values, parse_expr(p));
  while (!p->panic && take_sign(p, ','));
  stmt->values = (DspExpr **)(void *)values.items;
  stmt->nvalues = values.count;
  expect_sign(p, ';');
  return stmt;
}

static DspStmt *parse_pin(Parser *p) {
  DspStmt *stmt = new_stmt(p, DSP_STMT_PIN, 2);
  stmt->names[0] = parse_name(p, "the name of a value");
  if (!take_word(p, "on")) fail(p, "'on'");
  stmt->names[1] = parse_name(p, "the name of a dim");
  expect_sign(p, ';');
  return stmt;
}

/// [ "let" ] IDENT { "," IDENT } "=" expr ";"
static DspStmt *parse_binding(Parser *p, DspStmtKind kind) {
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
    stmt->names[stmt->nnames++] = parse_name(p, "a statement");
  } while (!p->panic && take_sign(p, ','));
  expect_sign(p, '=');
  stmt->value = parse_expr(p);
  stmt->range.end = stmt->value->range.end;
  expect_sign(p, ';');
  return stmt;
}

/// `output y;` in a repeat, and the like.
static void fail_at_declaration(Parser *p) {
  static const char *const words[] = {"dim",   "const",  "type",
                                      "input", "output", "block"};
  bool declares = false;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    declares |= at_word(p, words[i]);
  if (p->panic || p->token.kind != DSP_TOKEN_NAME || !declares) return;
  p->panic = true;
  DspDiag *diag = dsp_error(p->diags, DSP_E0201, p->token.range,
                            "expected a statement, found the declaration '%.*s'",
                            DSP_FMT(p->token.text));
  dsp_help(p->diags, diag,
           "dims, consts, types, inputs, outputs and blocks stand in the "
           "model itself, not in a block, repeat or if");
}

static DspStmt *parse_stmt(Parser *p) {
  if (take_word(p, "let")) return parse_binding(p, DSP_STMT_LET);
  if (take_word(p, "param")) return parse_param(p);
  if (take_word(p, "repeat")) return parse_repeat(p);
  if (take_word(p, "if")) return parse_if(p);
  if (take_word(p, "return")) return parse_return(p);
  if (take_word(p, "pin")) return parse_pin(p);
  if (is_reserved(p->token.text)) fail_at_declaration(p);
  return parse_binding(p, DSP_STMT_ASSIGN);
}

/// item { "," item } ";"
static void parse_items(Parser *p, List *out, DspStmt *(*item)(Parser *)) {
  do add(p, out, item(p));
  while (!p->panic && take_sign(p, ','));
  expect_sign(p, ';');
}

static void parse_model_item(Parser *p, List *out) {
  if (take_word(p, "dim"))
    parse_items(p, out, parse_dim_item);
  else if (take_word(p, "const"))
    parse_items(p, out, parse_const_item);
  else if (take_word(p, "type"))
    parse_items(p, out, parse_type_item);
  else if (take_word(p, "input"))
    parse_items(p, out, parse_input);
  else if (take_word(p, "output"))
    parse_items(p, out, parse_output);
  else if (take_word(p, "block"))
    add(p, out, parse_block(p));
  else
    add(p, out, parse_stmt(p));
}

/// Skips to behind the next ';', or to a '}'.
static void recover(Parser *p) {
  int open = 0;
  while (p->token.kind != DSP_TOKEN_END) {
    if (at_sign(p, '{')) open++;
    if (at_sign(p, '}') && open-- == 0) break;
    bool done = open == 0 && (at_sign(p, ';') || at_sign(p, '}'));
    next(p);
    if (done) break;
  }
  p->panic = false;
}

static void parse_stmts(Parser *p, List *out, bool model) {
  while (p->token.kind != DSP_TOKEN_END && !at_sign(p, '}')) {
    uint32_t before = p->token.range.begin;
    if (model)
      parse_model_item(p, out);
    else
      add(p, out, parse_stmt(p));
    if (!p->panic) continue;
    recover(p);
    if (p->token.range.begin == before) next(p);
  }
}

/// file = "model" IDENT "{" { item } "}"
DspAst *dsp_parse(DspArena *arena, const DspSource *source, DspDiags *diags) {
  Parser p = {.arena = arena,
              .diags = diags,
              .lexer = {.source = source, .diags = diags}};
  DspAst *ast = dsp_arena_alloc(arena, sizeof *ast);
  *ast = (DspAst){.source = source};
  next(&p);
  if (!take_word(&p, "model")) fail(&p, "'model'");
  ast->model = parse_name(&p, "the name of the model");
  expect_sign(&p, '{');
  if (p.panic) return ast;
  List items = {0};
  parse_stmts(&p, &items, true);
  expect_sign(&p, '}');
  if (!p.panic && p.token.kind != DSP_TOKEN_END)
    fail(&p, "the end of the file");
  ast->items = (DspStmt **)(void *)items.items;
  ast->nitems = items.count;
  return ast;
}
