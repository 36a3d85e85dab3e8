// arena.c - the memory of all activations.
//
// Needs:  a size that the compiler computed.
// Leaves: exactly that much memory that can be used.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "arena.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dsprt_types.h"

static void fill(DsprtArena *arena) {
  enum { CHUNK = 1 << 20 };
#pragma omp parallel for schedule(static)
  for (int64_t at = 0; at < arena->bytes; at += CHUNK) {
    int64_t n = arena->bytes - at < CHUNK ? arena->bytes - at : CHUNK;
    memset(arena->memory + at, 0xff, (size_t)n);
  }
}

DsprtArena dsprt_arena(int64_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  int64_t used =
      (bytes + DSPRT_ALIGNMENT - 1) / DSPRT_ALIGNMENT * DSPRT_ALIGNMENT;
  size_t whole = ((size_t)used + page - 1) / page * page;
  void *map = mmap(NULL, whole + page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) return (DsprtArena){0};
  DsprtArena arena = {.bytes = bytes, .map = map, .map_bytes = whole + page};
  unsigned char *guard = (unsigned char *)map + whole;
  mprotect(guard, page, PROT_NONE);
  madvise(map, whole, MADV_HUGEPAGE); // a wish
  arena.memory = guard - used;
  fill(&arena);
  return arena;
}

void dsprt_arena_free(DsprtArena *arena) {
  if (arena->map) munmap(arena->map, arena->map_bytes);
  *arena = (DsprtArena){0};
}
