// intern.c - a hash table from word arrays to dense numbers, and the arrays of
// this library.
//
// Needs:  an arena that outlives the table.
// Leaves: numbers that depend only on the order of the calls.
#include "intern.h"

#include <string.h>

typedef struct DspInternedKey {
  const uint64_t *words;
  size_t count;
  uint64_t hash;
} DspInternedKey;

void *dsp_plan_zeroed(DspArena *arena, size_t size, size_t count) {
  void *array = dsp_arena_alloc(arena, size * count + (count == 0));
  return memset(array, 0, size * count);
}

void *dsp_plan_grow(DspArena *arena, void *array, size_t size, size_t count,
                    uint32_t *capacity) {
  if (count < *capacity)
    return array;
  uint32_t grown = *capacity < 16 ? 16 : *capacity * 2;
  void *copy = dsp_plan_zeroed(arena, size, grown);
  if (count > 0)
    memcpy(copy, array, size * count);
  *capacity = grown;
  return copy;
}

void dsp_key_add_words(DspKey *key, const void *words, size_t count) {
  if (key->count + count > key->capacity) {
    size_t grown = (key->count + count) * 2 + 64;
    uint64_t *copy = DSP_NEW(key->arena, uint64_t, grown);
    if (key->count > 0)
      memcpy(copy, key->words, key->count * sizeof *copy);
    key->words = copy;
    key->capacity = grown;
  }
  if (count > 0)
    memcpy(key->words + key->count, words, count * sizeof *key->words);
  key->count += count;
}

static uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0xff51afd7ed558ccdu;
  return hash ^ hash >> 32;
}

/// Cheaper, for the words in between.
static uint64_t stir(uint64_t hash, uint64_t word) {
  return (hash << 23 | hash >> 41) ^ word * 0x9e3779b97f4a7c15u;
}

/// Four lanes, which do not wait for each other.
uint64_t dsp_hash_words(const uint64_t *words, size_t count) {
  uint64_t a = count, b = 1, c = 2, d = 3;
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    a = stir(a, words[i]);
    b = stir(b, words[i + 1]);
    c = stir(c, words[i + 2]);
    d = stir(d, words[i + 3]);
  }
  for (; i < count; ++i)
    a = stir(a, words[i]);
  return count < 4 ? mix(a, b) : mix(mix(mix(a, b), c), d);
}

DspInterner dsp_interner(DspArena *arena) {
  DspInterner interner = {.arena = arena, .nslots = 64};
  interner.slots = DSP_NEW(arena, uint32_t, interner.nslots);
  return interner;
}

static void rehash(DspInterner *interner) {
  interner->nslots *= 2;
  interner->slots = DSP_NEW(interner->arena, uint32_t, interner->nslots);
  for (uint32_t i = 0; i < interner->count; ++i) {
    uint32_t at = (uint32_t)interner->keys[i].hash & (interner->nslots - 1);
    while (interner->slots[at])
      at = (at + 1) & (interner->nslots - 1);
    interner->slots[at] = i + 1;
  }
}

static bool equal_words(const uint64_t *a, const uint64_t *b, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (a[i] != b[i])
      return false;
  return true;
}

static uint32_t insert(DspInterner *interner, DspInternedKey key, uint32_t at) {
  uint64_t *words = DSP_NEW(interner->arena, uint64_t, key.count);
  if (key.count > 0)
    memcpy(words, key.words, key.count * sizeof *words);
  key.words = words;
  uint32_t number = interner->count;
  DSP_GROW(interner->arena, interner->keys, number, interner->capacity);
  interner->keys[number] = key;
  interner->slots[at] = ++interner->count;
  if (interner->count * 2 > interner->nslots)
    rehash(interner);
  return number;
}

uint32_t dsp_intern(DspInterner *interner, const uint64_t *words, size_t count,
                    bool *fresh) {
  DspInternedKey key = {words, count, dsp_hash_words(words, count)};
  uint32_t at = (uint32_t)key.hash & (interner->nslots - 1);
  *fresh = false;
  while (interner->slots[at]) {
    const DspInternedKey *old = &interner->keys[interner->slots[at] - 1];
    if (old->hash == key.hash && old->count == count &&
        equal_words(old->words, words, count))
      return interner->slots[at] - 1;
    at = (at + 1) & (interner->nslots - 1);
  }
  *fresh = true;
  return insert(interner, key, at);
}

const uint64_t *dsp_interned(const DspInterner *interner, uint32_t number,
                             size_t *count) {
  *count = interner->keys[number].count;
  return interner->keys[number].words;
}
