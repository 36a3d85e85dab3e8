// arena.h - memory that is freed all at once.
#ifndef DSPC_SUPPORT_ARENA_H
#define DSPC_SUPPORT_ARENA_H

#include <stddef.h>

/// Everything allocated from an arena lives until the arena is destroyed.
typedef struct DspArena DspArena;

DspArena *dsp_arena_create(void);
void dsp_arena_destroy(DspArena *arena);
/// Returns `size` bytes, aligned for any type, not initialised.  Never NULL:
/// a machine without memory is reported and ends the process.
void *dsp_arena_alloc(DspArena *arena, size_t size);

#endif
