// parse_token.c - what every rule of the parser needs: tokens, lists, names.
#include <ctype.h>
#include <string.h>

#include "dspc/syntax/ast.h"
#include "parser.h"

void dsp_list_add(DspParser *p, DspList *list, void *item) {
  if (list->count == list->capacity) {
    list->capacity = list->capacity ? 2 * list->capacity : 4;
    void **grown = dsp_arena_alloc(p->arena, list->capacity * sizeof *grown);
    if (list->count) memcpy(grown, list->items, list->count * sizeof *grown);
    list->items = grown;
  }
  list->items[list->count++] = item;
}

void dsp_parser_next(DspParser *p) {
  p->behind = p->token.range.end;
  p->token = dsp_lex_next(&p->lexer);
}

bool dsp_at_sign(const DspParser *p, int sign) {
  return p->token.kind == DSP_TOKEN_SIGN && p->token.sign == sign;
}

bool dsp_at_word(const DspParser *p, const char *word) {
  return p->token.kind == DSP_TOKEN_NAME &&
         dsp_str_equal_c(p->token.text, word);
}

bool dsp_take_sign(DspParser *p, int sign) {
  if (!dsp_at_sign(p, sign)) return false;
  dsp_parser_next(p);
  return true;
}

bool dsp_take_word(DspParser *p, const char *word) {
  if (!dsp_at_word(p, word)) return false;
  dsp_parser_next(p);
  return true;
}

void dsp_expected(DspParser *p, const char *needed) {
  if (p->panic) return;
  p->panic = true;
  if (p->token.kind == DSP_TOKEN_END)
    dsp_error(p->diags, DSP_E0201, p->token.range,
              "expected %s, found the end of the file", needed);
  else
    dsp_error(p->diags, DSP_E0201, p->token.range, "expected %s, found '%.*s'",
              needed, DSP_FMT(p->token.text));
}

/// Is the token the first of its line?
static bool starts_line(const DspParser *p) {
  const char *text = p->lexer.source->text;
  for (uint32_t i = p->behind; i < p->token.range.begin; i++)
    if (text[i] == '\n') return true;
  return false;
}

/// A statement that ends with its line lacks its ';' there.
static void expected_before(DspParser *p) {
  DspDiag *diag =
      dsp_error(p->diags, DSP_E0201, (DspRange){p->behind, p->behind},
                "expected ';' at the end of this line");
  if (p->token.kind != DSP_TOKEN_END)
    dsp_note(p->diags, diag, p->token.range, "found '%.*s' instead",
             DSP_FMT(p->token.text));
  p->panic = true;
}

void dsp_expect_sign(DspParser *p, int sign) {
  char needed[4] = {'\'', (char)sign, '\'', '\0'};
  if (p->panic) return; // what stands here is for recover
  if (dsp_take_sign(p, sign)) return;
  if (sign == ';' && starts_line(p))
    expected_before(p);
  else
    dsp_expected(p, needed);
}

bool dsp_too_deep(DspParser *p) {
  if (!p->panic)
    dsp_error(p->diags, DSP_E0202, p->token.range,
              "more than %d levels of nesting", DSP_DEEPEST);
  p->panic = true;
  return false;
}

static const char *const reserved[] = {
    "model", "dim", "const", "type",   "input", "output", "block",  "let", "at",
    "param", "if",  "else",  "repeat", "as",    "over",   "return", "pin", "on",
    "and",   "or",  "not",
};

bool dsp_is_reserved(DspStr text) {
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
  return text.length > 0 && !dsp_is_reserved(text);
}

DspName dsp_parse_name(DspParser *p, const char *what) {
  DspName name = {p->token.text, p->token.range};
  if (p->token.kind == DSP_TOKEN_NAME && !dsp_is_reserved(p->token.text))
    dsp_parser_next(p);
  else
    dsp_expected(p, what);
  return name;
}
