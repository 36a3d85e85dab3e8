// lexer.h - bytes to tokens.
#ifndef DSPC_LIB_SYNTAX_LEXER_H
#define DSPC_LIB_SYNTAX_LEXER_H

#include "dspc/support/diag.h"

typedef enum DspTokenKind {
  DSP_TOKEN_END,
  DSP_TOKEN_NAME,
  DSP_TOKEN_NUMBER,
  DSP_TOKEN_STRING, ///< `text` is without the quotes
  DSP_TOKEN_SIGN,   ///< one of  { } ( ) [ ] , ; : = + - * / < >  in `sign`
  DSP_TOKEN_ARROW,  ///< ->
  DSP_TOKEN_COMPARE ///< == != <= >=, as in ast.h, in `sign`
} DspTokenKind;

typedef struct DspToken {
  DspTokenKind kind;
  DspRange range;
  DspStr text;
  int sign;
  double number;
  bool is_integer;
} DspToken;

typedef struct DspLexer {
  const DspSource *source;
  DspDiags *diags;
  uint32_t at;
} DspLexer;

/// Returns the next token; behind the last byte always DSP_TOKEN_END.
DspToken dsp_lex_next(DspLexer *lexer);

#endif
