/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The indexes of depmod (modules.dep.bin and its like), as libkmod reads them
 * (libkmod-index.c): a radix tree of keys with values, in any bytes.
 */
#pragma once

#include <stdint.h>

#include "compiler.h"
#include "text.h"

#define INDEX_KEY_MAX 1024

/* The head: these two and the root. Numbers are big-endian. */
#define INDEX_MAGIC	0xb007f457u
#define INDEX_VERSION	0x00020001u
#define INDEX_HEAD_SIZE 12

/* Flags in the offset of a node; the three parts stand in this order. */
#define INDEX_HAS_PREFIX 0x80000000u
#define INDEX_HAS_CHILDS 0x20000000u
#define INDEX_HAS_VALUES 0x40000000u

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
