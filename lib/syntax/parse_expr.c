// parse_expr.c - the rules of expressions.
#include "parser.h"

enum { TALLEST = 500 }; // levels of one expression's tree: a + a + a + ...

static DspExpr *new_expr(DspParser *p, DspExprKind kind, uint32_t begin) {
  DspExpr *expr = dsp_arena_alloc(p->arena, sizeof *expr);
  *expr = (DspExpr){.kind = kind, .range = {begin, begin}};
  return expr;
}

static void set_items(DspParser *p, DspExpr *expr, DspList list) {
  expr->items = (DspExpr **)(void *)list.items;
  expr->nitems = list.count;
  for (size_t i = 0; i < list.count; i++)
    if (expr->items[i]->height >= expr->height)
      expr->height = expr->items[i]->height + 1;
  if (expr->height <= TALLEST || p->panic) return;
  p->panic = true;
  DspRange range = {expr->range.begin, p->behind};
  DspDiag *diag = dsp_error(p->diags, DSP_E0202, range,
                            "an expression of more than %d levels", TALLEST);
  dsp_help(p->diags, diag, "give a part of it a name with 'let'");
}

static DspExpr *finish(DspExpr *expr, uint32_t end) {
  expr->range.end = end;
  return expr;
}

/// string = STRING
DspExpr *dsp_parse_string(DspParser *p, const char *what) {
  DspExpr *expr = new_expr(p, DSP_EXPR_STRING, p->token.range.begin);
  expr->name = (DspName){p->token.text, p->token.range};
  finish(expr, p->token.range.end);
  if (p->token.kind == DSP_TOKEN_STRING)
    dsp_parser_next(p);
  else
    dsp_expected(p, what);
  return expr;
}

/// [ "at" STRING ]
DspExpr *dsp_parse_path(DspParser *p) {
  return dsp_take_word(p, "at") ? dsp_parse_string(p, "a path in quotes")
                                : NULL;
}

static DspExpr *wrap(DspParser *p, DspExprKind kind, DspExpr *first,
                     DspExpr *second) {
  DspExpr *expr = new_expr(p, kind, first->range.begin);
  DspList list = {0};
  dsp_list_add(p, &list, first);
  if (second) dsp_list_add(p, &list, second);
  set_items(p, expr, list);
  return finish(expr, second ? second->range.end : first->range.end);
}

/// arg = "over" expr | expr "->" expr | IDENT ":" expr | expr
static DspExpr *parse_arg(DspParser *p) {
  uint32_t begin = p->token.range.begin;
  if (dsp_take_word(p, "over")) {
    DspExpr *over = wrap(p, DSP_EXPR_OVER, dsp_parse_expr(p), NULL);
    over->range.begin = begin;
    return over;
  }
  DspExpr *expr = dsp_parse_expr(p);
  if (p->token.kind == DSP_TOKEN_ARROW) {
    dsp_parser_next(p);
    return wrap(p, DSP_EXPR_ARROW, expr, dsp_parse_expr(p));
  }
  if (expr->kind == DSP_EXPR_NAME && dsp_take_sign(p, ':')) {
    DspExpr *named = wrap(p, DSP_EXPR_NAMED, dsp_parse_expr(p), NULL);
    named->name = expr->name;
    named->range.begin = begin;
    return named;
  }
  return expr;
}

/// item { "," item } up to `close`
DspList dsp_parse_list(DspParser *p, int close, DspExpr *(*item)(DspParser *)) {
  DspList list = {0};
  if (!dsp_at_sign(p, close)) do
      dsp_list_add(p, &list, item(p));
    while (!p->panic && dsp_take_sign(p, ','));
  return list;
}

/// call = IDENT "(" args ")" [ "at" STRING ]
static DspExpr *parse_call(DspParser *p, DspExpr *name) {
  DspExpr *call = new_expr(p, DSP_EXPR_CALL, name->range.begin);
  call->name = name->name;
  set_items(p, call, dsp_parse_list(p, ')', parse_arg));
  uint32_t end = p->token.range.end;
  dsp_expect_sign(p, ')');
  call->path = dsp_parse_path(p);
  return finish(call, end);
}

/// primary = NUMBER | STRING | IDENT | call | "(" expr ")" | "[" list "]"
static DspExpr *parse_primary(DspParser *p) {
  DspToken token = p->token;
  if (token.kind == DSP_TOKEN_STRING) return dsp_parse_string(p, "a string");
  DspExpr *expr = new_expr(p, DSP_EXPR_NUMBER, token.range.begin);
  finish(expr, token.range.end);
  if (token.kind == DSP_TOKEN_NUMBER) {
    dsp_parser_next(p);
    expr->number = token.number;
    expr->is_integer = token.is_integer;
    return expr;
  }
  if (dsp_take_sign(p, '(')) {
    DspExpr *inner = dsp_parse_expr(p);
    dsp_expect_sign(p, ')');
    return inner;
  }
  if (dsp_take_sign(p, '[')) {
    expr->kind = DSP_EXPR_LIST;
    set_items(p, expr, dsp_parse_list(p, ']', dsp_parse_expr));
    finish(expr, p->token.range.end);
    dsp_expect_sign(p, ']');
    return expr;
  }
  expr->kind = DSP_EXPR_NAME;
  expr->name = dsp_parse_name(p, "an expression");
  return dsp_take_sign(p, '(') ? parse_call(p, expr) : expr;
}

/// postfix = primary { "[" IDENT ":" expr "]" }
static DspExpr *parse_postfix(DspParser *p) {
  DspExpr *expr = parse_primary(p);
  while (!p->panic && dsp_take_sign(p, '[')) {
    DspName dim = dsp_parse_name(p, "the name of a dim");
    dsp_expect_sign(p, ':');
    expr = wrap(p, DSP_EXPR_INDEX, expr, dsp_parse_expr(p));
    expr->name = dim;
    finish(expr, p->token.range.end);
    dsp_expect_sign(p, ']');
  }
  return expr;
}

/// How strongly operators bind; `not` stands between `and` and comparisons.
enum { NO_OPERATOR, OR, AND, NOT, COMPARISON, SUM, PRODUCT };

static DspExpr *parse_binary(DspParser *p, int least);

/// The operator `op` in front of what binds at least as strongly as `least`;
/// PRODUCT + 1 is another unary.
static DspExpr *parse_prefix(DspParser *p, int op, int least) {
  uint32_t begin = p->token.range.begin;
  dsp_parser_next(p);
  DspExpr *operand = ++p->depth <= DSP_DEEPEST || dsp_too_deep(p)
                         ? parse_binary(p, least)
                         : new_expr(p, DSP_EXPR_NUMBER, begin);
  p->depth--;
  DspExpr *expr = wrap(p, DSP_EXPR_UNARY, operand, NULL);
  expr->op = op;
  expr->range.begin = begin;
  return expr;
}

/// unary = "not" comparison | "-" unary | postfix
static DspExpr *parse_unary(DspParser *p) {
  if (dsp_at_word(p, "not")) return parse_prefix(p, DSP_NOT, NOT);
  if (dsp_at_sign(p, '-')) return parse_prefix(p, '-', PRODUCT + 1);
  return parse_postfix(p);
}

/// The operator at hand and how strongly it binds; NO_OPERATOR when there is
/// none.
static int strength(const DspParser *p, int *op) {
  *op = dsp_at_word(p, "or") ? DSP_OR
        : dsp_at_word(p, "and") ? DSP_AND
                                : p->token.sign;
  if (*op == DSP_OR) return OR;
  if (*op == DSP_AND) return AND;
  if (p->token.kind == DSP_TOKEN_COMPARE) return COMPARISON;
  if (p->token.kind != DSP_TOKEN_SIGN) return NO_OPERATOR;
  switch (*op) {
  case '<':
  case '>': return COMPARISON;
  case '+':
  case '-': return SUM;
  case '*':
  case '/':
  case '%': return PRODUCT;
  default: return NO_OPERATOR;
  }
}

/// binary = unary { operator unary }, stronger operators first
static DspExpr *parse_binary(DspParser *p, int least) {
  DspExpr *left = parse_unary(p);
  int op, own;
  while (!p->panic && (own = strength(p, &op)) >= least &&
         own != NO_OPERATOR) {
    dsp_parser_next(p);
    left = wrap(p, DSP_EXPR_BINARY, left, parse_binary(p, own + 1));
    left->op = op;
  }
  return left;
}

DspExpr *dsp_parse_expr(DspParser *p) {
  DspExpr *expr = ++p->depth <= DSP_DEEPEST || dsp_too_deep(p)
                      ? parse_binary(p, OR)
                      : new_expr(p, DSP_EXPR_NUMBER, p->token.range.begin);
  p->depth--;
  return expr;
}

/// dim = IDENT "=" expr | expr
DspExpr *dsp_parse_dim(DspParser *p) {
  DspExpr *expr = dsp_parse_expr(p);
  if (expr->kind != DSP_EXPR_NAME || !dsp_take_sign(p, '=')) return expr;
  DspExpr *named = wrap(p, DSP_EXPR_NAMED, dsp_parse_expr(p), NULL);
  named->name = expr->name;
  named->range.begin = expr->range.begin;
  return named;
}
