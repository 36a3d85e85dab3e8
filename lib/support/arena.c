// arena.c - memory that is freed all at once.
#include "dspc/support/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "dspc/support/bug.h"

enum { BLOCK_BYTES = 64 * 1024 };

typedef struct Block {
  struct Block *next;
  size_t used, size;
  max_align_t data[];
} Block;

struct DspArena {
  Block *blocks; ///< the first one has room
};

static Block *new_block(size_t size) {
  Block *block = malloc(sizeof *block + size);
  if (!block) dsp_bug("out of memory");
  *block = (Block){.size = size};
  return block;
}

DspArena *dsp_arena_create(void) {
  DspArena *arena = malloc(sizeof *arena);
  if (!arena) dsp_bug("out of memory");
  arena->blocks = new_block(BLOCK_BYTES);
  return arena;
}

void dsp_arena_destroy(DspArena *arena) {
  while (arena->blocks) {
    Block *next = arena->blocks->next;
    free(arena->blocks);
    arena->blocks = next;
  }
  free(arena);
}

void *dsp_arena_alloc(DspArena *arena, size_t size) {
  size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
  Block *block = arena->blocks;
  if (block->size - block->used < size && size > BLOCK_BYTES / 4) {
    block = new_block(size); // behind the first one, which has room left
    block->next = arena->blocks->next;
    arena->blocks->next = block;
  } else if (block->size - block->used < size) {
    block = new_block(BLOCK_BYTES);
    block->next = arena->blocks;
    arena->blocks = block;
  }
  void *out = (char *)block->data + block->used;
  block->used += size;
  return out;
}
