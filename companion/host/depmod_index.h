/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The indexes of depmod (modules.dep.bin and its like), as libkmod reads them
 * (libkmod-index.c): a radix tree of keys with values, in any bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

#define INDEX_KEY_MAX 1024

struct index_entry {
	const char *key;
	const char *value;
	uint32_t priority;
};

/*
 * Calls @each for every key and each of its values until it returns non-zero. 0, what @each
 * returned, or -EBADMSG if this is no index or it is damaged.
 */
int index_each(struct text bytes,
	       int (*each)(void *arg, struct text key, struct text value),
	       void *arg) must_check nonnull(2);

/* The first value of a key; -ENOENT if there is none. */
int index_find(struct text bytes, const char *key, struct text *ret) must_check
	nonnull(2, 3);

/* The priority of a value that index_each() gave: libkmod takes the lowest one first. */
uint32_t index_priority(struct text value);

/* ---- index write ---- */

/* Writes an index as depmod does (modules.dep.bin and its like), for the reader above and for libkmod. */

/*
 * Sorts @entries by key, then as they stood, and makes an index of them. -ENOMEM, or -E2BIG
 * if it gets too large for the format's offsets or for what anybody needs.
 */
int index_write(struct index_entry *entries, size_t count, struct arena *arena,
		struct text *ret) must_check nonnull(3, 4);
