/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "index_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "depmod_index.h"

#define INDEX_SIZE_MAX ((size_t)16 * 1024 * 1024)
#define CHARS	       256

struct writer {
	const struct index_entry *entries;
	uint8_t *buf;
	size_t used;
	bool is_full;
};

static void put(struct writer *w, const void *bytes, size_t n)
{
	if (w->is_full || n > INDEX_SIZE_MAX - w->used) {
		w->is_full = true;
		return;
	}
	memcpy(w->buf + w->used, bytes, n);
	w->used += n;
}

static void put_u32(struct writer *w, uint32_t v)
{
	const uint8_t bytes[] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
				 (uint8_t)(v >> 8), (uint8_t)v};

	put(w, bytes, sizeof(bytes));
}

/*
 * The node of the entries from @from to @to, which share their first @at characters. Behind
 * its prefix, some end and give its values; the others go on, and each next character gives
 * a node that is written before this one. Returns its offset with its flags.
 */
static uint32_t put_node(struct writer *w, size_t from, size_t to, size_t at)
{
	const struct index_entry *e = w->entries;
	uint32_t children[CHARS] = {0}, offset;
	size_t end = at, values = from;
	uint8_t first, last;

	/* Sorted: what the first and the last have in common, all have. */
	while (e[from].key[end] != '\0' && e[from].key[end] == e[to - 1].key[end])
		end++;
	while (values < to && e[values].key[end] == '\0')
		values++;
	first = (uint8_t)(values < to ? e[values].key[end] : 0);
	last = (uint8_t)(values < to ? e[to - 1].key[end] : 0);
	for (size_t i = values, next; i < to; i = next) {
		uint8_t c = (uint8_t)e[i].key[end];

		for (next = i; next < to && (uint8_t)e[next].key[end] == c;)
			next++;
		children[c] = put_node(w, i, next, end + 1);
	}
	offset = (uint32_t)w->used;
	if (end > at) {
		offset |= INDEX_HAS_PREFIX;
		put(w, e[from].key + at, end - at);
		put(w, "", 1);
	}
	if (values < to) {
		offset |= INDEX_HAS_CHILDS;
		put(w, &first, 1);
		put(w, &last, 1);
		for (unsigned c = first; c <= last; c++)
			put_u32(w, children[c]);
	}
	if (values > from) {
		offset |= INDEX_HAS_VALUES;
		put_u32(w, (uint32_t)(values - from));
		for (size_t i = from; i < values; i++) {
			put_u32(w, e[i].priority);
			put(w, e[i].value, strlen(e[i].value) + 1);
		}
	}
	return offset;
}

static int compare(const void *a, const void *b)
{
	const struct index_entry *x = a, *y = b;
	int r = strcmp(x->key, y->key);

	if (r != 0)
		return r;
	return x->priority == y->priority ? 0 : x->priority < y->priority ? -1 : 1;
}

int index_write(struct index_entry *entries, size_t count, struct arena *arena,
		struct text *ret)
{
	struct writer w = {.entries = entries, .used = INDEX_HEAD_SIZE};
	uint32_t root = 0;
	size_t used;

	w.buf = arena_alloc(arena, INDEX_SIZE_MAX, 1);
	if (!w.buf)
		return -ENOMEM;
	if (count > 0) {
		qsort(entries, count, sizeof(*entries), compare);
		for (size_t i = 0; i < count; i++)
			if (strlen(entries[i].key) >= INDEX_KEY_MAX)
				return -E2BIG;
		root = put_node(&w, 0, count, 0);
	}
	if (w.is_full)
		return -E2BIG;
	used = w.used;
	w.used = 0;
	put_u32(&w, INDEX_MAGIC);
	put_u32(&w, INDEX_VERSION);
	put_u32(&w, root);
	/* What was not written was never touched. */
	arena->used = (size_t)((char *)w.buf - arena->base) + used;
	*ret = (struct text){(const char *)w.buf, used};
	return 0;
}
