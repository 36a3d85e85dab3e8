// safetensors.h - tensors in mapped files, and the layout of a new one.
//
// A file is 8 bytes (little-endian length of the header), the header in JSON,
// and the data.  Nothing in it is trusted.
#ifndef DSPRT_COMMON_SAFETENSORS_H
#define DSPRT_COMMON_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>

#include "dsprt_types.h"
#include "errors.h"

typedef struct DsprtTensor {
  const char *name;
  const char *dtype; ///< as the file spells it
  bool readable;     ///< shape.type says which type; else it is none of ours
  DsprtShape shape;
  const unsigned char *data; ///< in the map, of any alignment
  int64_t begin, end;        ///< bytes into the data
} DsprtTensor;

typedef struct DsprtTensors {
  const char *path;     ///< lent by who opened it
  DsprtTensor *tensors; ///< sorted by name
  size_t count;
  unsigned char *map;
  size_t bytes;
  void *header;
  struct DsprtTensors *parts; ///< the files of an index, which has no map
  size_t nparts;
  char *own_path; ///< of a part: its path
} DsprtTensors;

/// Maps a file and checks all of its header: lengths, types, shapes, bounds,
/// overlaps and holes.  On false, `errors` says what is wrong and where, and
/// nothing is open.  Close with dsprt_tensors_close.
bool dsprt_tensors_open(DsprtTensors *file, const char *path,
                        DsprtErrors *errors);
void dsprt_tensors_close(DsprtTensors *file);

/// The same for a checkpoint in several files, by its index: JSON whose object
/// 'weight_map' names the file of each tensor, in the folder of the index.
/// Each file is checked, and holds what the index says and nothing else.
bool dsprt_tensors_open_index(DsprtTensors *all, const char *path,
                              DsprtErrors *errors);
/// True when `path` is that of an index: it ends in ".json".
bool dsprt_is_index(const char *path);

/// Sorts the tensors by name, as dsprt_tensors_find needs them.
void dsprt_tensors_sort(DsprtTensors *file);
/// The tensor called `name`, or NULL.
const DsprtTensor *dsprt_tensors_find(const DsprtTensors *file,
                                      const char *name);

/// A tensor of a file to be written, and where its data goes.
typedef struct DsprtNewTensor {
  const char *name;
  DsprtShape shape;
  int64_t begin; ///< set by dsprt_tensors_header: from the file's first byte
} DsprtNewTensor;

/// The first bytes of a file with these tensors; sets their `begin`, the
/// header's length and the file's.  The caller frees it; NULL: no memory.
char *dsprt_tensors_header(DsprtNewTensor *tensors, size_t count,
                           size_t *length, int64_t *file_bytes);

#endif
