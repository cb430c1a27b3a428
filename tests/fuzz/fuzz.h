/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every fuzzer includes. */
#pragma once

#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input. */
#define require(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, \
				__LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* A copy on the heap, so that reading past its end is seen. */
static inline struct text fuzz_text(const uint8_t *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);

	require(copy);
	if (size > 0)
		memcpy(copy, data, size);
	return (struct text){copy, size};
}

/* What world_ops.read() says of a file with these bytes; p NULL: there is none. */
static inline int fuzz_read(struct text bytes, char *buf, size_t size)
{
	if (!bytes.p)
		return -ENOENT;
	if (bytes.n >= size)
		return -E2BIG;
	if (bytes.n > 0)
		memcpy(buf, bytes.p, bytes.n);
	return (int)bytes.n;
}

static inline int fuzz_remove_one(const char *path, const struct stat *st unused,
				  int type unused, struct FTW *ftw unused)
{
	return remove(path);
}

/* A folder of the fuzzer's own, with all that is in it. */
static inline void fuzz_remove(const char *root)
{
	(void)nftw(root, fuzz_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline bool is_within(struct text part, struct text whole)
{
	return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

/* Memory that is used anew for each input: zeroed as far as it was used. */
static inline struct arena *fuzz_arena(unsigned number)
{
	enum { SIZE = 1 << 20 };
	static struct arena arenas[2];
	struct arena *arena = &arenas[number];

	if (!arena->base)
		*arena = (struct arena){.base = calloc(1, SIZE), .size = SIZE};
	require(arena->base);
	arena_rewind(arena, 0);
	return arena;
}
