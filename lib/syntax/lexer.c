// lexer.c - bytes to tokens.  Any bytes will do: what starts no token is
// reported and skipped.
#include "lexer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dspc/syntax/ast.h"

static int peek(const DspLexer *lexer, uint32_t ahead) {
  uint32_t at = lexer->at + ahead;
  return at < lexer->source->length ? (unsigned char)lexer->source->text[at]
                                    : -1;
}

static bool is_letter(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(int c) { return c >= '0' && c <= '9'; }

static void skip_comment(DspLexer *lexer) {
  uint32_t begin = lexer->at;
  lexer->at += 2;
  while (peek(lexer, 0) >= 0 &&
         !(peek(lexer, 0) == '*' && peek(lexer, 1) == '/'))
    lexer->at++;
  if (peek(lexer, 0) < 0)
    dsp_error(lexer->diags, DSP_E0102, (DspRange){begin, begin + 2},
              "this comment has no end");
  else
    lexer->at += 2;
}

static void skip_space(DspLexer *lexer) {
  for (;;) {
    int c = peek(lexer, 0);
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
      lexer->at++;
    else if (c == '/' && peek(lexer, 1) == '/')
      while (peek(lexer, 0) >= 0 && peek(lexer, 0) != '\n') lexer->at++;
    else if (c == '/' && peek(lexer, 1) == '*')
      skip_comment(lexer);
    else
      return;
  }
}

static DspToken token_from(const DspLexer *lexer, DspTokenKind kind,
                           uint32_t begin) {
  return (DspToken){.kind = kind,
                    .range = {begin, lexer->at},
                    .text = {lexer->source->text + begin, lexer->at - begin}};
}

static DspToken lex_name(DspLexer *lexer) {
  uint32_t begin = lexer->at;
  while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0))) lexer->at++;
  return token_from(lexer, DSP_TOKEN_NAME, begin);
}

/// digits [. digits] [e [+-] digits]; `0..4` is 0 followed by two dots.
static DspToken lex_number(DspLexer *lexer) {
  uint32_t begin = lexer->at;
  bool integer = true;
  while (is_digit(peek(lexer, 0))) lexer->at++;
  if (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1))) {
    integer = false;
    lexer->at++;
    while (is_digit(peek(lexer, 0))) lexer->at++;
  }
  uint32_t sign = peek(lexer, 1) == '-' || peek(lexer, 1) == '+';
  if (peek(lexer, 0) == 'e' && is_digit(peek(lexer, 1 + sign))) {
    integer = false;
    lexer->at += 1 + sign;
    while (is_digit(peek(lexer, 0))) lexer->at++;
  }
  DspToken token = token_from(lexer, DSP_TOKEN_NUMBER, begin);
  char copy[64];
  if (token.text.length >= sizeof copy) {
    dsp_error(lexer->diags, DSP_E0103, token.range,
              "this number has more than %zu digits", sizeof copy - 1);
    token.text.length = 1;
  }
  memcpy(copy, token.text.data, token.text.length);
  copy[token.text.length] = '\0';
  token.number = strtod(copy, NULL);
  token.is_integer = integer && token.number < 9e15;
  if (isinf(token.number))
    dsp_error(lexer->diags, DSP_E0103, token.range,
              "this number is too large");
  return token;
}

static DspToken lex_string(DspLexer *lexer) {
  uint32_t begin = lexer->at++;
  while (peek(lexer, 0) >= 0 && peek(lexer, 0) != '"' && peek(lexer, 0) != '\n')
    lexer->at++;
  bool closed = peek(lexer, 0) == '"';
  DspToken token = token_from(lexer, DSP_TOKEN_STRING, begin + 1);
  if (closed)
    lexer->at++;
  else
    dsp_error(lexer->diags, DSP_E0102, (DspRange){begin, begin + 1},
              "this string has no end on its line");
  token.range = (DspRange){begin, lexer->at};
  return token;
}

static int comparison(int first) {
  switch (first) {
  case '=': return DSP_EQUAL;
  case '!': return DSP_UNEQUAL;
  case '<': return DSP_AT_MOST;
  case '>': return DSP_AT_LEAST;
  default: return 0;
  }
}

DspToken dsp_lex_next(DspLexer *lexer) {
  for (;;) {
    skip_space(lexer);
    uint32_t begin = lexer->at;
    int c = peek(lexer, 0);
    if (c < 0) return token_from(lexer, DSP_TOKEN_END, begin);
    if (is_letter(c)) return lex_name(lexer);
    if (is_digit(c)) return lex_number(lexer);
    if (c == '"') return lex_string(lexer);
    lexer->at++;
    if (c == '-' && peek(lexer, 0) == '>') {
      lexer->at++;
      return token_from(lexer, DSP_TOKEN_ARROW, begin);
    }
    if (comparison(c) && peek(lexer, 0) == '=') {
      lexer->at++;
      DspToken token = token_from(lexer, DSP_TOKEN_COMPARE, begin);
      token.sign = comparison(c);
      return token;
    }
    if (c && strchr("{}()[],;:=+-*/%<>", c)) {
      DspToken token = token_from(lexer, DSP_TOKEN_SIGN, begin);
      token.sign = c;
      return token;
    }
    while (peek(lexer, 0) >= 0x80) lexer->at++; // one error a run of bytes
    dsp_error(lexer->diags, DSP_E0101, (DspRange){begin, lexer->at},
              "a byte 0x%02x starts no token", (unsigned)c);
  }
}
