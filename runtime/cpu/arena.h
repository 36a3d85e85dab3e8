// arena.h - the memory of all activations.
#ifndef DSPRT_CPU_ARENA_H
#define DSPRT_CPU_ARENA_H

#include <stddef.h>
#include <stdint.h>

typedef struct DsprtArena {
  unsigned char *memory; ///< 64-byte aligned; NULL: no memory
  int64_t bytes;
  void *map;
  size_t map_bytes;
} DsprtArena;

/// Allocates `bytes`, a multiple of 64, filled with NaNs, so that whoever
/// reads before writing is found out.  A page that cannot be touched follows.
DsprtArena dsprt_arena(int64_t bytes);
void dsprt_arena_free(DsprtArena *arena);

#endif
