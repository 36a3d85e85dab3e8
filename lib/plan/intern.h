// intern.h - equal keys get equal numbers.
#ifndef DSPC_LIB_PLAN_INTERN_H
#define DSPC_LIB_PLAN_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dspc/support/arena.h"

/// Maps keys, which are arrays of words, to 0, 1, 2, ... in the order in which
/// they are first seen.  All memory is of `arena`.
typedef struct DspInterner {
  DspArena *arena;
  struct DspInternedKey *keys; ///< [count]
  uint32_t count, capacity;
  uint32_t *slots; ///< [nslots] number + 1, or 0 when free
  uint32_t nslots;
} DspInterner;

DspInterner dsp_interner(DspArena *arena);

/// Returns the number of the key; `*fresh` tells whether it is new.
uint32_t dsp_intern(DspInterner *interner, const uint64_t *words, size_t count,
                    bool *fresh);

/// Returns the words of a key, which stay where they are.
const uint64_t *dsp_interned(const DspInterner *interner, uint32_t number,
                             size_t *count);

/// A hash of `count` words.
uint64_t dsp_hash_words(const uint64_t *words, size_t count);

/// A key under construction: words are added one by one.
typedef struct DspKey {
  DspArena *arena;
  uint64_t *words;
  size_t count, capacity;
} DspKey;

/// Adds `count` words that lie at `words`, of whatever type they are.
void dsp_key_add_words(DspKey *key, const void *words, size_t count);

static inline void dsp_key_add(DspKey *key, uint64_t word) {
  if (key->count == key->capacity)
    dsp_key_add_words(key, &word, 1);
  else
    key->words[key->count++] = word;
}

/// An array of `count` zeroed elements.
#define DSP_NEW(arena, type, count)                                            \
  ((type *)dsp_plan_zeroed((arena), sizeof(type), (count)))
void *dsp_plan_zeroed(DspArena *arena, size_t size, size_t count);

/// Makes room for one more element of an array that lives in an arena.
#define DSP_GROW(arena, array, count, capacity)                                \
  ((array) = dsp_plan_grow((arena), (array), sizeof *(array), (count),         \
                           &(capacity)))
void *dsp_plan_grow(DspArena *arena, void *array, size_t size, size_t count,
                    uint32_t *capacity);

#endif
