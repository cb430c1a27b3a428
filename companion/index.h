/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The indexes of depmod (modules.dep.bin and its like), as libkmod reads them
 * (libkmod-index.c): a radix tree of keys with values, in any bytes.
 */
#pragma once

#include "compiler.h"
#include "text.h"

#define INDEX_KEY_MAX 1024

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
