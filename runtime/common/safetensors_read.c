// safetensors_read.c - map a safetensors file and check its header.
//
// Needs:  a path.
// Leaves: tensors whose data lie in the map, side by side, without holes; or
//         an error that names the file and the place.
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "safetensors.h"

enum { LENGTH_BYTES = 8, MAX_HEADER = 100 << 20 };

typedef struct Reader {
  DsprtTensors *file;
  DsprtErrors *errors;
  size_t data_at; ///< where the data begin
  int64_t data_bytes;
} Reader;

static const struct {
  const char *name;
  int64_t bytes;
  bool readable;
  DsprtType type;
} dtypes[] = {
    {"F32", 4, true, DSPRT_F32}, {"BF16", 2, true, DSPRT_BF16},
    {"F16", 2, true, DSPRT_F16}, {"I32", 4, true, DSPRT_I32},
    {"F64", 8, false, 0},        {"I64", 8, false, 0},
    {"U64", 8, false, 0},        {"U32", 4, false, 0},
    {"I16", 2, false, 0},        {"U16", 2, false, 0},
    {"I8", 1, false, 0},         {"U8", 1, false, 0},
    {"BOOL", 1, false, 0},       {"F8_E4M3", 1, false, 0},
    {"F8_E5M2", 1, false, 0},
};

static bool map_file(Reader *r) {
  DsprtTensors *file = r->file;
  struct stat info;
  int fd = open(file->path, O_RDONLY | O_CLOEXEC);
  bool ok = fd >= 0 && fstat(fd, &info) == 0;
  if (ok && !S_ISREG(info.st_mode)) {
    dsprt_error(r->errors, "%s: not a regular file", file->path);
  } else if (ok && info.st_size < LENGTH_BYTES) {
    dsprt_error(r->errors,
                "%s: offset 0: %lld bytes are no safetensors file, the length "
                "of the header alone takes %d",
                file->path, (long long)info.st_size, LENGTH_BYTES);
  } else if (ok) {
    file->bytes = (size_t)info.st_size;
    void *map = mmap(NULL, file->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map != MAP_FAILED) file->map = map;
    ok = file->map != NULL;
  }
  if (!ok) dsprt_error(r->errors, "%s: %s", file->path, strerror(errno));
  if (fd >= 0) close(fd);
  return file->map != NULL;
}

static bool read_header(Reader *r) {
  DsprtTensors *file = r->file;
  uint64_t length = 0;
  for (int i = LENGTH_BYTES; i-- > 0;) length = length << 8 | file->map[i];
  uint64_t room = file->bytes - LENGTH_BYTES;
  if (length > room || length > MAX_HEADER) {
    dsprt_error(r->errors,
                "%s: offset 0: the header should have %llu bytes, the file has "
                "%llu after its length (most: %d)",
                file->path, (unsigned long long)length,
                (unsigned long long)room, MAX_HEADER);
    return false;
  }
  json_error_t at;
  file->header = json_loadb((const char *)file->map + LENGTH_BYTES,
                            (size_t)length, JSON_REJECT_DUPLICATES, &at);
  r->data_at = LENGTH_BYTES + (size_t)length;
  r->data_bytes = (int64_t)(file->bytes - r->data_at);
  if (!file->header)
    dsprt_error(r->errors, "%s: offset %d: the header is no JSON: %s",
                file->path, LENGTH_BYTES + (at.position > 0 ? at.position : 0),
                at.text);
  else if (!json_is_object((json_t *)file->header))
    dsprt_error(r->errors, "%s: offset %d: the header is no JSON object",
                file->path, LENGTH_BYTES);
  return json_is_object((json_t *)file->header);
}

static bool wrong(const Reader *r, const DsprtTensor *t, const char *what) {
  dsprt_error(r->errors, "%s: offset %d: tensor '%s': %s", r->file->path,
              LENGTH_BYTES, t->name, what);
  return false;
}

static bool read_dtype(const Reader *r, json_t *entry, DsprtTensor *t,
                       int64_t *bytes) {
  t->dtype = json_string_value(json_object_get(entry, "dtype"));
  if (!t->dtype) return wrong(r, t, "'dtype' is not a string");
  for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
    if (strcmp(dtypes[i].name, t->dtype) != 0) continue;
    t->readable = dtypes[i].readable;
    t->shape.type = dtypes[i].type;
    *bytes = dtypes[i].bytes;
    return true;
  }
  dsprt_error(r->errors, "%s: offset %d: tensor '%s': unknown dtype '%s'",
              r->file->path, LENGTH_BYTES, t->name, t->dtype);
  return false;
}

/// Multiplies *bytes by the sizes.
static bool read_shape(const Reader *r, json_t *entry, DsprtTensor *t,
                       int64_t *bytes) {
  json_t *shape = json_object_get(entry, "shape"), *size;
  size_t i;
  if (!json_is_array(shape)) return wrong(r, t, "'shape' is not an array");
  if (json_array_size(shape) > DSPRT_MAX_DIMS)
    return wrong(r, t, "'shape' has more than 16 dims");
  t->shape.ndims = (int)json_array_size(shape);
  json_array_foreach(shape, i, size) {
    t->shape.dims[i] = json_integer_value(size);
    if (!json_is_integer(size) || t->shape.dims[i] < 0)
      return wrong(r, t, "'shape' holds something that is no size");
  }
  for (int k = 0; k < t->shape.ndims; k++)
    if (t->shape.dims[k] == 0) *bytes = 0;
  for (int k = 0; k < t->shape.ndims; k++)
    if (__builtin_mul_overflow(*bytes, t->shape.dims[k], bytes))
      return wrong(r, t, "'shape' has too many elements");
  return true;
}

static bool read_offsets(const Reader *r, json_t *entry, DsprtTensor *t,
                         int64_t bytes) {
  json_t *offsets = json_object_get(entry, "data_offsets");
  json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
  if (json_array_size(offsets) != 2 || !json_is_integer(begin) ||
      !json_is_integer(end))
    return wrong(r, t, "'data_offsets' is not a pair of integers");
  t->begin = json_integer_value(begin);
  t->end = json_integer_value(end);
  if (t->begin < 0 || t->begin > t->end || t->end > r->data_bytes) {
    dsprt_error(r->errors,
                "%s: tensor '%s': bytes %lld to %lld of the data, which have "
                "%lld (from offset %zu of the file)",
                r->file->path, t->name, (long long)t->begin, (long long)t->end,
                (long long)r->data_bytes, r->data_at);
    return false;
  }
  if (t->end - t->begin != bytes) {
    dsprt_error(r->errors,
                "%s: offset %lld: tensor '%s': its shape takes %lld bytes, its "
                "data are %lld",
                r->file->path, (long long)t->begin + (long long)r->data_at,
                t->name, (long long)bytes, (long long)(t->end - t->begin));
    return false;
  }
  t->data = r->file->map + r->data_at + t->begin;
  return true;
}

static bool read_tensor(const Reader *r, json_t *entry, DsprtTensor *t) {
  int64_t bytes = 0;
  if (!json_is_object(entry)) return wrong(r, t, "no JSON object");
  if (json_object_size(entry) != 3)
    return wrong(r, t, "not exactly 'dtype', 'shape' and 'data_offsets'");
  return read_dtype(r, entry, t, &bytes) && read_shape(r, entry, t, &bytes) &&
         read_offsets(r, entry, t, bytes);
}

static bool read_tensors(Reader *r) {
  DsprtTensors *file = r->file;
  int before = r->errors->count;
  const char *name;
  json_t *entry;
  file->tensors =
      calloc(json_object_size(file->header) + 1, sizeof *file->tensors);
  if (!file->tensors) {
    dsprt_error(r->errors, "%s: out of memory", file->path);
    return false;
  }
  json_object_foreach((json_t *)file->header, name, entry) {
    if (strcmp(name, "__metadata__") == 0) continue;
    DsprtTensor *t = &file->tensors[file->count++];
    t->name = name;
    read_tensor(r, entry, t);
  }
  return r->errors->count == before;
}

static int by_place(const void *left, const void *right) {
  const DsprtTensor *a = left, *b = right;
  if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
  return a->end < b->end ? -1 : a->end > b->end;
}

static int by_name(const void *left, const void *right) {
  const DsprtTensor *a = left, *b = right;
  return strcmp(a->name, b->name);
}

void dsprt_tensors_sort(DsprtTensors *file) {
  qsort(file->tensors, file->count, sizeof *file->tensors, by_name);
}

/// The tensors must fill the data one after the other.
static bool check_places(const Reader *r) {
  DsprtTensors *file = r->file;
  int64_t end = 0;
  bool ok = true;
  qsort(file->tensors, file->count, sizeof *file->tensors, by_place);
  for (size_t i = 0; i < file->count && ok; i++) {
    const DsprtTensor *t = &file->tensors[i];
    ok = t->begin == end;
    if (!ok)
      dsprt_error(r->errors, "%s: offset %lld: tensor '%s' %s", file->path,
                  (long long)t->begin + (long long)r->data_at, t->name,
                  t->begin < end ? "overlaps the one before it"
                                 : "follows bytes that no tensor owns");
    end = t->end;
  }
  if (ok && end != r->data_bytes) {
    dsprt_error(r->errors, "%s: offset %lld: %lld bytes that no tensor owns",
                file->path, (long long)end + (long long)r->data_at,
                (long long)(r->data_bytes - end));
    ok = false;
  }
  dsprt_tensors_sort(file);
  return ok;
}

bool dsprt_tensors_open(DsprtTensors *file, const char *path,
                        DsprtErrors *errors) {
  *file = (DsprtTensors){.path = path};
  Reader r = {.file = file, .errors = errors};
  if (map_file(&r) && read_header(&r) && read_tensors(&r) && check_places(&r))
    return true;
  dsprt_tensors_close(file);
  return false;
}

void dsprt_tensors_close(DsprtTensors *file) {
  json_decref(file->header);
  free(file->tensors);
  if (file->map) munmap(file->map, file->bytes);
  for (size_t i = 0; i < file->nparts; i++)
    dsprt_tensors_close(&file->parts[i]);
  free(file->parts);
  free(file->own_path);
  *file = (DsprtTensors){0};
}

const DsprtTensor *dsprt_tensors_find(const DsprtTensors *file,
                                      const char *name) {
  DsprtTensor key = {.name = name};
  if (!file->count) return NULL;
  return bsearch(&key, file->tensors, file->count, sizeof key, by_name);
}
