// safetensors_index.c - a checkpoint in several files.
//
// Needs:  the path of an index, {"weight_map": {TENSOR: FILE, ..}, ..}, with
//         the files in its folder, as large public checkpoints have it.
// Leaves: the tensors of all files as those of one; or an error that names the
//         index, the tensor and the file.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "safetensors.h"

typedef struct Index {
  DsprtTensors *all;
  json_t *map; ///< of names to files, in all->header
  DsprtErrors *errors;
} Index;

static bool read_index(Index *x) {
  DsprtTensors *all = x->all;
  json_error_t at;
  all->header = json_load_file(all->path, JSON_REJECT_DUPLICATES, &at);
  if (!all->header) {
    dsprt_error(x->errors, "%s: line %d: no index of safetensors files: %s",
                all->path, at.line, at.text);
    return false;
  }
  x->map = json_object_get((json_t *)all->header, "weight_map");
  if (!json_is_object(x->map))
    dsprt_error(x->errors,
                "%s: no index of safetensors files: 'weight_map' "
                "is not an object",
                all->path);
  return json_is_object(x->map);
}

/// Room for a part and a path for each tensor, more than there are files.
static bool make_room(Index *x) {
  DsprtTensors *all = x->all;
  size_t n = json_object_size(x->map) + 1;
  all->tensors = calloc(n, sizeof *all->tensors);
  all->parts = calloc(n, sizeof *all->parts);
  if (all->tensors && all->parts) return true;
  dsprt_error(x->errors, "%s: out of memory", all->path);
  return false;
}

/// The path of a file in the folder of the index; the caller frees it.
static char *beside(const char *index, const char *file) {
  const char *slash = strrchr(index, '/');
  size_t folder = slash ? (size_t)(slash - index) + 1 : 0;
  char *path = malloc(folder + strlen(file) + 1);
  if (!path) return NULL;
  memcpy(path, index, folder);
  strcpy(path + folder, file);
  return path;
}

static const char *file_of(const DsprtTensors *part) {
  const char *slash = strrchr(part->path, '/');
  return slash ? slash + 1 : part->path;
}

/// The open file of this name, or NULL after an error: once for each file.
static const DsprtTensors *part_of(Index *x, const char *file) {
  DsprtTensors *all = x->all;
  for (size_t i = 0; i < all->nparts; i++)
    if (strcmp(file_of(&all->parts[i]), file) == 0)
      return all->parts[i].map ? &all->parts[i] : NULL;
  DsprtTensors *part = &all->parts[all->nparts];
  char *path = beside(all->path, file);
  if (!path) {
    dsprt_error(x->errors, "%s: out of memory", all->path);
    return NULL;
  }
  all->nparts++;
  if (dsprt_tensors_open(part, path, x->errors)) {
    part->own_path = path;
    return part;
  }
  *part = (DsprtTensors){.path = path, .own_path = path};
  return NULL;
}

static void take(Index *x, const char *name, json_t *value) {
  const char *file = json_string_value(value), *index = x->all->path;
  if (!file || !*file || strchr(file, '/')) {
    dsprt_error(x->errors,
                "%s: tensor '%s': its file is no name of a file in "
                "the folder of the index",
                index, name);
    return;
  }
  const DsprtTensors *part = part_of(x, file);
  if (!part) return;
  const DsprtTensor *tensor = dsprt_tensors_find(part, name);
  if (tensor)
    x->all->tensors[x->all->count++] = *tensor;
  else
    dsprt_error(x->errors, "%s: tensor '%s' is not in '%s'", index, name, file);
}

static void take_all(Index *x) {
  const char *name;
  json_t *value;
  json_object_foreach(x->map, name, value) take(x, name, value);
}

/// What a file holds must be in the index.
static void check_parts(const Index *x) {
  const DsprtTensors *all = x->all;
  for (size_t i = 0; i < all->nparts; i++)
    for (size_t k = 0; k < all->parts[i].count; k++) {
      const char *name = all->parts[i].tensors[k].name;
      const char *file = json_string_value(json_object_get(x->map, name));
      if (file && strcmp(file, file_of(&all->parts[i])) == 0) continue;
      dsprt_error(x->errors, "%s: tensor '%s' of '%s' is not in the index",
                  all->path, name, file_of(&all->parts[i]));
    }
}

bool dsprt_tensors_open_index(DsprtTensors *all, const char *path,
                              DsprtErrors *errors) {
  *all = (DsprtTensors){.path = path};
  Index x = {.all = all, .errors = errors};
  int before = errors->count;
  if (read_index(&x) && make_room(&x)) {
    take_all(&x);
    check_parts(&x);
  }
  if (errors->count == before) {
    dsprt_tensors_sort(all);
    return true;
  }
  dsprt_tensors_close(all);
  return false;
}

bool dsprt_is_index(const char *path) {
  size_t n = strlen(path), k = strlen(".json");
  return n >= k && strcmp(path + n - k, ".json") == 0;
}
