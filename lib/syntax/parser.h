// parser.h - what the files of the parser share.
#ifndef DSPC_LIB_SYNTAX_PARSER_H
#define DSPC_LIB_SYNTAX_PARSER_H

#include "dspc/syntax/ast.h"
#include "lexer.h"

enum { DSP_DEEPEST = 200 }; ///< levels of nesting while parsing

typedef struct DspParser {
  DspArena *arena;
  DspDiags *diags;
  DspLexer lexer;
  DspToken token;
  uint32_t behind; ///< the end of the token before
  bool panic;      ///< an error was reported; quiet until the next statement
  int depth;
} DspParser;

/// A growing array of pointers.
typedef struct DspList {
  void **items;
  size_t count, capacity;
} DspList;

// parse_token.c
void dsp_list_add(DspParser *p, DspList *list, void *item);
void dsp_parser_next(DspParser *p);
bool dsp_at_sign(const DspParser *p, int sign);
bool dsp_at_word(const DspParser *p, const char *word);
/// Goes behind the sign or word when it stands here.
bool dsp_take_sign(DspParser *p, int sign);
bool dsp_take_word(DspParser *p, const char *word);
/// Reports that `needed` does not stand here.
void dsp_expected(DspParser *p, const char *needed);
void dsp_expect_sign(DspParser *p, int sign);
/// Reports one level of nesting more than DSP_DEEPEST; always false.
bool dsp_too_deep(DspParser *p);
bool dsp_is_reserved(DspStr text);
DspName dsp_parse_name(DspParser *p, const char *what);

// parse_expr.c
DspExpr *dsp_parse_string(DspParser *p, const char *what);
DspExpr *dsp_parse_path(DspParser *p);
DspExpr *dsp_parse_expr(DspParser *p);
DspExpr *dsp_parse_dim(DspParser *p);
DspList dsp_parse_list(DspParser *p, int close, DspExpr *(*item)(DspParser *));

#endif
