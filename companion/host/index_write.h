/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes an index as depmod does (modules.dep.bin and its like), for index.h and libkmod. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

struct index_entry {
	const char *key;
	const char *value;
	uint32_t priority;
};

/*
 * Sorts @entries by key, then as they stood, and makes an index of them. -ENOMEM, or -E2BIG
 * if it gets too large for the format's offsets or for what anybody needs.
 */
int index_write(struct index_entry *entries, size_t count, struct arena *arena,
		struct text *ret) must_check nonnull(3, 4);
