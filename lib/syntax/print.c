// print.c - a tree as text again: the canonical form of a model file.
//
// Needs:  a tree without errors.
// Leaves: text that parses to the same tree, one statement a line, without
//         comments, with the fewest parentheses.
#include <stdlib.h>
#include <string.h>

#include "dspc/syntax/ast.h"
#include "lexer.h"

typedef struct Printer {
  FILE *out;
  int indent;
} Printer;

/// How strongly an expression holds together; the operands of an operator hold
/// at least as strongly as it does.
enum { ARGUMENT, OR, AND, NOT, COMPARISON, SUM, PRODUCT, UNARY, POSTFIX };

static int strength_of(int op) {
  switch (op) {
  case DSP_OR: return OR;
  case DSP_AND: return AND;
  case '+':
  case '-': return SUM;
  case '*':
  case '/':
  case '%': return PRODUCT;
  default: return COMPARISON;
  }
}

static int strength(const DspExpr *expr) {
  switch (expr->kind) {
  case DSP_EXPR_ARROW:
  case DSP_EXPR_NAMED:
  case DSP_EXPR_OVER: return ARGUMENT;
  case DSP_EXPR_UNARY: return expr->op == DSP_NOT ? NOT : UNARY;
  case DSP_EXPR_BINARY: return strength_of(expr->op);
  default: return POSTFIX;
  }
}

static const char *operator_text(int op) {
  switch (op) {
  case DSP_EQUAL: return "==";
  case DSP_UNEQUAL: return "!=";
  case DSP_AT_MOST: return "<=";
  case DSP_AT_LEAST: return ">=";
  case '<': return "<";
  case '>': return ">";
  case '+': return "+";
  case '-': return "-";
  case '*': return "*";
  case '%': return "%";
  case DSP_AND: return "and";
  case DSP_OR: return "or";
  default: return "/";
  }
}

static void print_expr(Printer *p, const DspExpr *expr);

/// Prints `expr`, in parentheses when it holds less than `least`.
static void print_operand(Printer *p, const DspExpr *expr, int least) {
  bool open = strength(expr) < least;
  if (open) fputc('(', p->out);
  print_expr(p, expr);
  if (open) fputc(')', p->out);
}

/// The shortest digits that read back as the same number.
static void print_number(Printer *p, const DspExpr *expr) {
  char text[40];
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, expr->number);
    if (strtod(text, NULL) == expr->number) break;
  }
  if (expr->is_integer)
    snprintf(text, sizeof text, "%.0f", expr->number);
  else if (!strpbrk(text, ".e"))
    strcat(text, ".0");
  fputs(text, p->out);
}

static void print_list(Printer *p, DspExpr *const *items, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i) fputs(", ", p->out);
    print_expr(p, items[i]);
  }
}

static void print_path(Printer *p, const DspExpr *path) {
  if (path) fprintf(p->out, " at \"%.*s\"", DSP_FMT(path->name.text));
}

static void print_expr(Printer *p, const DspExpr *expr) {
  DspExpr *const *items = expr->items;
  switch (expr->kind) {
  case DSP_EXPR_NUMBER: print_number(p, expr); break;
  case DSP_EXPR_NAME:
    fprintf(p->out, "%.*s", DSP_FMT(expr->name.text));
    break;
  case DSP_EXPR_STRING:
    fprintf(p->out, "\"%.*s\"", DSP_FMT(expr->name.text));
    break;
  case DSP_EXPR_LIST:
    fputc('[', p->out);
    print_list(p, items, expr->nitems);
    fputc(']', p->out);
    break;
  case DSP_EXPR_CALL:
    fprintf(p->out, "%.*s(", DSP_FMT(expr->name.text));
    print_list(p, items, expr->nitems);
    fputc(')', p->out);
    print_path(p, expr->path);
    break;
  case DSP_EXPR_UNARY:
    fputs(expr->op == DSP_NOT ? "not " : "-", p->out);
    print_operand(p, items[0], strength(expr));
    break;
  case DSP_EXPR_BINARY:
    print_operand(p, items[0], strength(expr));
    fprintf(p->out, " %s ", operator_text(expr->op));
    print_operand(p, items[1], strength(expr) + 1);
    break;
  case DSP_EXPR_ARROW:
    print_expr(p, items[0]);
    fputs(" -> ", p->out);
    print_expr(p, items[1]);
    break;
  case DSP_EXPR_NAMED:
    fprintf(p->out, "%.*s: ", DSP_FMT(expr->name.text));
    print_expr(p, items[0]);
    break;
  case DSP_EXPR_OVER:
    fputs("over ", p->out);
    print_expr(p, items[0]);
    break;
  case DSP_EXPR_INDEX:
    print_operand(p, items[0], POSTFIX);
    fprintf(p->out, "[%.*s: ", DSP_FMT(expr->name.text));
    print_expr(p, items[1]);
    fputc(']', p->out);
    break;
  }
}

/// In a type a NAMED is a dim that is declared in place.
static void print_type(Printer *p, const DspTypeSyntax *type) {
  fprintf(p->out, "%.*s[", DSP_FMT(type->element.text));
  for (size_t i = 0; i < type->ndims; i++) {
    const DspExpr *dim = type->dims[i];
    if (i) fputs(", ", p->out);
    if (dim->kind == DSP_EXPR_NAMED)
      fprintf(p->out, "%.*s = ", DSP_FMT(dim->name.text));
    print_expr(p, dim->kind == DSP_EXPR_NAMED ? dim->items[0] : dim);
  }
  fputc(']', p->out);
}

static void print_stmt(Printer *p, const DspStmt *stmt);

static void print_body(Printer *p, DspStmt *const *body, size_t count) {
  fputs(" {\n", p->out);
  p->indent += 2;
  for (size_t i = 0; i < count; i++) {
    fprintf(p->out, "%*s", p->indent, "");
    print_stmt(p, body[i]);
    fputc('\n', p->out);
  }
  p->indent -= 2;
  fprintf(p->out, "%*s}", p->indent, "");
}

static void print_params(Printer *p, const DspStmt *stmt) {
  static const char *const words[] = {[DSP_PARAM_VALUE] = "",
                                      [DSP_PARAM_OVER] = "over ",
                                      [DSP_PARAM_DIM] = "dim ",
                                      [DSP_PARAM_CONST] = "const "};
  for (size_t i = 0; i < stmt->nparams; i++)
    fprintf(p->out, "%s%s%.*s", i ? ", " : "", words[stmt->params[i].kind],
            DSP_FMT(stmt->params[i].name.text));
}

static void print_if(Printer *p, const DspStmt *stmt) {
  fputs("if ", p->out);
  print_expr(p, stmt->value);
  print_body(p, stmt->body, stmt->nbody);
  if (!stmt->notherwise) return;
  fputs(" else", p->out);
  if (stmt->notherwise == 1 && stmt->otherwise[0]->kind == DSP_STMT_IF) {
    fputc(' ', p->out);
    print_if(p, stmt->otherwise[0]);
  } else {
    print_body(p, stmt->otherwise, stmt->notherwise);
  }
}

static void print_definition(Printer *p, const char *word,
                             const DspStmt *stmt) {
  fputs(word, p->out);
  for (size_t i = 0; i < stmt->nnames; i++)
    fprintf(p->out, "%s%.*s", i ? ", " : "", DSP_FMT(stmt->names[i].text));
  fputs(" = ", p->out);
  print_expr(p, stmt->value);
  fputc(';', p->out);
}

static void print_typed(Printer *p, const char *word, const DspStmt *stmt) {
  fprintf(p->out, "%s %.*s: ", word, DSP_FMT(stmt->names[0].text));
  print_type(p, &stmt->type);
  if (stmt->value) fputs(" = ", p->out);
  if (stmt->value) print_expr(p, stmt->value);
  fputc(';', p->out);
}

/// The name of an output is a name or any string.
static void print_output(Printer *p, const DspStmt *stmt) {
  DspStr name = stmt->names[0].text;
  const char *quote = dsp_is_identifier(name) ? "" : "\"";
  fprintf(p->out, "output %s%.*s%s", quote, DSP_FMT(name), quote);
  if (stmt->value) fputs(" = ", p->out);
  if (stmt->value) print_expr(p, stmt->value);
  fputc(';', p->out);
}

static void print_stmt(Printer *p, const DspStmt *stmt) {
  const DspName *names = stmt->names;
  switch (stmt->kind) {
  case DSP_STMT_DIM: print_definition(p, "dim ", stmt); break;
  case DSP_STMT_CONST: print_definition(p, "const ", stmt); break;
  case DSP_STMT_LET: print_definition(p, "let ", stmt); break;
  case DSP_STMT_ASSIGN: print_definition(p, "", stmt); break;
  case DSP_STMT_INPUT: print_typed(p, "input", stmt); break;
  case DSP_STMT_PARAM: print_typed(p, "param", stmt); break;
  case DSP_STMT_OUTPUT: print_output(p, stmt); break;
  case DSP_STMT_IF: print_if(p, stmt); break;
  case DSP_STMT_TYPE:
    fprintf(p->out, "type %.*s = %.*s;", DSP_FMT(names[0].text),
            DSP_FMT(names[1].text));
    break;
  case DSP_STMT_BLOCK:
    fprintf(p->out, "block %.*s(", DSP_FMT(names[0].text));
    print_params(p, stmt);
    fputc(')', p->out);
    print_body(p, stmt->body, stmt->nbody);
    break;
  case DSP_STMT_REPEAT:
    fputs("repeat ", p->out);
    print_expr(p, stmt->value);
    fprintf(p->out, " as %.*s", DSP_FMT(names[0].text));
    print_path(p, stmt->path);
    print_body(p, stmt->body, stmt->nbody);
    break;
  case DSP_STMT_RETURN:
    fputs("return ", p->out);
    print_list(p, stmt->values, stmt->nvalues);
    fputc(';', p->out);
    break;
  case DSP_STMT_PIN:
    fprintf(p->out, "pin %.*s on %.*s;", DSP_FMT(names[0].text),
            DSP_FMT(names[1].text));
    break;
  }
}

void dsp_ast_print(const DspAst *ast, FILE *out) {
  Printer p = {.out = out};
  fprintf(out, "model %.*s", DSP_FMT(ast->model.text));
  print_body(&p, ast->items, ast->nitems);
  fputc('\n', out);
}

static const char *kind_text(DspTokenKind kind) {
  switch (kind) {
  case DSP_TOKEN_END: return "end";
  case DSP_TOKEN_NAME: return "name";
  case DSP_TOKEN_NUMBER: return "number";
  case DSP_TOKEN_STRING: return "string";
  default: return "sign";
  }
}

void dsp_tokens_print(const DspSource *source, DspDiags *diags, FILE *out) {
  DspLexer lexer = {.source = source, .diags = diags};
  DspToken token;
  do {
    token = dsp_lex_next(&lexer);
    DspPlaceInText place = dsp_source_place(source, token.range.begin);
    fprintf(out, "%d:%d %s %.*s\n", place.line, place.column,
            kind_text(token.kind), DSP_FMT(token.text));
  } while (token.kind != DSP_TOKEN_END);
}
