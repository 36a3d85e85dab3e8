// safetensors_test.c - good files are read, hostile ones are refused.
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "safetensors.h"

static char path[] = "dsprt_safetensors_XXXXXX";

/// Writes a file with this header and `data_bytes` bytes of data.
static void write_file(uint64_t length, const char *header, size_t bytes,
                       size_t data_bytes) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  for (int i = 0; i < 8; i++) fputc((int)(length >> 8 * i & 255), file);
  fwrite(header, 1, bytes, file);
  for (size_t i = 0; i < data_bytes; i++) fputc((int)(i & 255), file);
  fclose(file);
}

static void write_text(const char *header, size_t data_bytes) {
  write_file(strlen(header), header, strlen(header), data_bytes);
}

/// The file must be refused with an error that names it and says `what`.
static void refuse(const char *what) {
  DsprtTensors file;
  DsprtErrors errors = {0};
  assert_false(dsprt_tensors_open(&file, path, &errors));
  assert_true(errors.count > 0);
  assert_non_null(strstr(errors.text, path));
  if (!strstr(errors.text, what)) {
    print_error("wanted '%s' in: %s", what, errors.text);
    fail();
  }
  assert_null(file.map);
  dsprt_errors_free(&errors);
}

static void refuse_header(const char *header, size_t data_bytes,
                          const char *what) {
  write_text(header, data_bytes);
  refuse(what);
}

#define T(dtype, shape, begin, end)                                       \
  "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin \
  "," end "]}"

static void good(void **state) {
  DsprtTensors file;
  DsprtErrors errors = {0};
  (void)state;
  write_text(
      "{\"__metadata__\":{\"format\":\"pt\"},\"b\":" T(
          "BF16", "[2,3]", "8",
          "20") ",\"a\":" T("F32", "[2]", "0",
                            "8") ",\"z\":" T("F64", "[]", "20",
                                             "28") ",\"e\":" T("F32", "[0,7]",
                                                               "28",
                                                               "28") "}  ",
      28);
  assert_true(dsprt_tensors_open(&file, path, &errors));
  assert_int_equal(file.count, 4);
  const DsprtTensor *b = dsprt_tensors_find(&file, "b");
  assert_int_equal(b->shape.type, DSPRT_BF16);
  assert_int_equal(b->shape.ndims, 2);
  assert_int_equal(b->shape.dims[1], 3);
  assert_int_equal(b->data[0], 8);
  assert_false(dsprt_tensors_find(&file, "z")->readable);
  assert_int_equal(dsprt_tensors_find(&file, "e")->shape.dims[1], 7);
  assert_null(dsprt_tensors_find(&file, "c"));
  assert_null(dsprt_tensors_find(&file, "__metadata__"));
  dsprt_tensors_close(&file);
  assert_int_equal(errors.count, 0);
}

static void no_file(void **state) {
  (void)state;
  unlink(path);
  refuse("No such file");
}

static void truncated(void **state) {
  (void)state;
  FILE *file = fopen(path, "wb");
  fclose(file);
  refuse("0 bytes are no safetensors file");
  write_file(2, "{", 0, 0);
  refuse("offset 0: the header should have 2 bytes, the file has 0");
  write_file(100, "{}", 2, 0);
  refuse("should have 100 bytes");
  write_file(UINT64_MAX, "{}", 2, 0);
  refuse("18446744073709551615");
  write_text("{\"a\":" T("F32", "[2]", "0", "8") "}", 7);
  refuse("bytes 0 to 8 of the data, which have 7");
}

static void bad_json(void **state) {
  (void)state;
  refuse_header("", 0, "no JSON");
  refuse_header("[]", 0, "no JSON object");
  refuse_header("{\"a\":", 0, "offset");
  refuse_header("{}x", 0, "no JSON");
  refuse_header("{\"a\":1,\"a\":1}", 0, "duplicate");
  refuse_header("{\"\xff\":1}", 0, "no JSON");
  refuse_header("{\"a\":7}", 0, "no JSON object");
  write_file(3, "{\0}", 3, 0);
  refuse("no JSON");
  char deep[5001];
  memset(deep, '[', 5000);
  deep[5000] = '\0';
  refuse_header(deep, 0, "no JSON");
}

static void bad_fields(void **state) {
  (void)state;
  refuse_header("{\"a\":{\"dtype\":\"F32\"}}", 0, "not exactly");
  refuse_header("{\"a\":{\"dtype\":1,\"shape\":[],\"data_offsets\":[0,4]}}", 4,
                "'dtype' is not a string");
  refuse_header("{\"a\":" T("F33", "[1]", "0", "4") "}", 4, "unknown dtype");
  refuse_header("{\"a\":" T("F32", "{}", "0", "4") "}", 4, "not an array");
  refuse_header("{\"a\":" T("F32", "[-1]", "0", "4") "}", 4, "no size");
  refuse_header("{\"a\":" T("F32", "[1.0]", "0", "4") "}", 4, "no size");
  refuse_header(
      "{\"a\":" T("F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "0", "4") "}",
      4, "more than 16 dims");
  refuse_header("{\"a\":" T("F32", "[4294967296,4294967296]", "0", "4") "}", 4,
                "too many elements");
  refuse_header("{\"a\":" T("F32", "[99999999999999999999]", "0", "4") "}", 4,
                "no JSON");
  refuse_header("{\"a\":" T("F32", "[1]", "\"0\"", "4") "}", 4,
                "not a pair of integers");
  refuse_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],"
                "\"data_offsets\":[0]}}",
                4, "not a pair");
}

static void bad_places(void **state) {
  (void)state;
  refuse_header("{\"a\":" T("F32", "[1]", "-4", "0") "}", 4, "bytes -4 to 0");
  refuse_header("{\"a\":" T("F32", "[1]", "4", "0") "}", 4, "bytes 4 to 0");
  refuse_header("{\"a\":" T("F32", "[2]", "0", "4") "}", 4,
                "its shape takes 8 bytes, its data are 4");
  refuse_header("{\"a\":" T("F32", "[1]", "0", "4") ",\"b\":" T("F32", "[1]",
                                                                "2", "6") "}",
                6, "overlaps");
  refuse_header("{\"a\":" T("F32", "[1]", "0", "4") ",\"b\":" T("F32", "[1]",
                                                                "0", "4") "}",
                4, "overlaps");
  refuse_header("{\"a\":" T("F32", "[1]", "0", "4") ",\"b\":" T("F32", "[1]",
                                                                "8", "12") "}",
                12, "no tensor owns");
  refuse_header("{\"a\":" T("F32", "[1]", "0", "4") "}", 8,
                "4 bytes that no tensor owns");
}

/// No change of one byte, and no cut, crashes the reader.
static void any_bytes(void **state) {
  (void)state;
  const char *header = "{\"a\":" T("F32", "[2,1]", "0", "8") "}";
  char text[128];
  uint32_t random = 1;
  for (int round = 0; round < 2000; round++) {
    DsprtTensors file;
    DsprtErrors errors = {0};
    size_t n = strlen(header);
    memcpy(text, header, n + 1);
    random = random * 1664525u + 1013904223u;
    text[random >> 8 & 63 % n] = (char)(random >> 24);
    write_file(n - (random >> 16 & 1), text, n, random >> 18 & 15);
    if (dsprt_tensors_open(&file, path, &errors)) dsprt_tensors_close(&file);
    dsprt_errors_free(&errors);
  }
}

static void written(void **state) {
  DsprtNewTensor list[] = {{.name = "x", .shape = {DSPRT_F32, 2, {3, 5}}},
                           {.name = "y\"\\", .shape = {DSPRT_BF16, 1, {7}}}};
  DsprtTensors file;
  DsprtErrors errors = {0};
  size_t length;
  int64_t bytes;
  (void)state;
  char *header = dsprt_tensors_header(list, 2, &length, &bytes);
  assert_int_equal(length % 64, 0);
  assert_int_equal(bytes, (int64_t)length + 60 + 14);
  write_file(length - 8, header + 8, length - 8, 74);
  assert_true(dsprt_tensors_open(&file, path, &errors));
  const DsprtTensor *y = dsprt_tensors_find(&file, "y\"\\");
  assert_non_null(y);
  assert_int_equal(y->data - file.map, list[1].begin);
  assert_int_equal(y->data[0], 60);
  dsprt_tensors_close(&file);
  free(header);
}

static void write_index(const char *index, const char *text) {
  FILE *file = fopen(index, "wb");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

/// An index of the file, of "a" in it and of `more`.
static void write_map(const char *index, const char *more) {
  char text[256];
  snprintf(text, sizeof text, "{\"weight_map\":{\"a\":\"%s\"%s}}", path, more);
  write_index(index, text);
}

static void refuse_index(const char *index, const char *what) {
  DsprtTensors all;
  DsprtErrors errors = {0};
  assert_false(dsprt_tensors_open_index(&all, index, &errors));
  assert_int_equal(errors.count, 1);
  if (!strstr(errors.text, what)) {
    print_error("wanted '%s' in: %s", what, errors.text);
    fail();
  }
  assert_null(all.tensors);
  dsprt_errors_free(&errors);
}

static void indexed(void **state) {
  char index[64], more[64];
  DsprtTensors all;
  DsprtErrors errors = {0};
  (void)state;
  snprintf(index, sizeof index, "./%s.index.json", path);
  assert_true(dsprt_is_index(index));
  assert_false(dsprt_is_index(path));
  write_text("{\"b\":" T("F32", "[1]", "0", "4") ",\"a\":" T("F32", "[2]", "4",
                                                             "12") "}",
             12);
  snprintf(more, sizeof more, ",\"b\":\"%s\"", path);
  write_map(index, more);
  assert_true(dsprt_tensors_open_index(&all, index, &errors));
  assert_int_equal(all.count, 2);
  assert_int_equal(all.nparts, 1);
  assert_int_equal(dsprt_tensors_find(&all, "a")->data[0], 4);
  assert_null(dsprt_tensors_find(&all, "c"));
  dsprt_tensors_close(&all);

  write_map(index, "");
  refuse_index(index, "tensor 'b' of 'dsprt_safetensors_");
  snprintf(more, sizeof more, ",\"b\":\"%s\",\"c\":\"%s\"", path, path);
  write_map(index, more);
  refuse_index(index, "tensor 'c' is not in 'dsprt_safetensors_");
  snprintf(more, sizeof more, ",\"b\":\"%s\",\"c\":\"none\",\"d\":\"none\"",
           path);
  write_map(index, more);
  refuse_index(index, "./none: No such file");
  snprintf(more, sizeof more, ",\"b\":\"%s\",\"c\":\"../x\"", path);
  write_map(index, more);
  refuse_index(index, "tensor 'c': its file is no name of a file");
  snprintf(more, sizeof more, ",\"b\":\"%s\",\"c\":7", path);
  write_map(index, more);
  refuse_index(index, "tensor 'c': its file is no name of a file");
  snprintf(more, sizeof more, ",\"a\":\"%s\"", path);
  write_map(index, more);
  refuse_index(index, "duplicate");
  write_index(index, "{\"weight_map\":[]}");
  refuse_index(index, "'weight_map' is not an object");
  write_index(index, "[1, 2");
  refuse_index(index, "line 1: no index of safetensors files");
  unlink(index);
  refuse_index(index, "No such file");
}

static int begin(void **state) {
  (void)state;
  int fd = mkstemp(path);
  return fd < 0 ? -1 : close(fd);
}

static int end(void **state) {
  (void)state;
  unlink(path);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good),       cmocka_unit_test(indexed),
      cmocka_unit_test(no_file),    cmocka_unit_test(truncated),
      cmocka_unit_test(bad_json),   cmocka_unit_test(bad_fields),
      cmocka_unit_test(bad_places), cmocka_unit_test(any_bytes),
      cmocka_unit_test(written),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
