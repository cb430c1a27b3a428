/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "depmod_index.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The head: these two and the root. Numbers are big-endian. */
#define INDEX_MAGIC	0xb007f457u
#define INDEX_VERSION	0x00020001u
#define INDEX_HEAD_SIZE 12

/* Flags in the offset of a node; the three parts stand in this order. */
#define INDEX_HAS_PREFIX 0x80000000u
#define INDEX_HAS_CHILDS 0x20000000u
#define INDEX_HAS_VALUES 0x40000000u

#define OFFSET 0x0fffffffu

/* Depth and number of nodes: a damaged index may be a circle. */
#define DEPTH_MAX 256
#define STEPS_MAX 4194304

struct walk {
	struct text bytes;
	int (*each)(void *arg, struct text key, struct text value);
	void *arg;
	char key[INDEX_KEY_MAX];
	size_t steps;
};

static uint32_t get_u32(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Takes @n bytes off @rest; NULL if there are not as many. */
static const char *take(struct text *rest, size_t n)
{
	const char *p = rest->p;

	if (n > rest->n)
		return NULL;
	rest->p += n;
	rest->n -= n;
	return p;
}

/* Takes a text with its NUL. */
static bool take_string(struct text *rest, struct text *ret)
{
	const char *end = rest->n > 0 ? memchr(rest->p, '\0', rest->n) : NULL;

	if (!end)
		return false;
	*ret = (struct text){rest->p, (size_t)(end - rest->p)};
	return take(rest, ret->n + 1) != NULL;
}

static int walk_values(struct walk *w, struct text rest, size_t key)
{
	const char *count = take(&rest, 4);
	struct text value;
	int r = 0;

	if (!count)
		return -EBADMSG;
	for (uint32_t i = get_u32(count); i > 0 && r == 0; i--) {
		/* The priority: index_priority(). */
		if (!take(&rest, 4) || !take_string(&rest, &value))
			return -EBADMSG;
		if (++w->steps > STEPS_MAX)
			return -EBADMSG;
		r = w->each(w->arg, (struct text){w->key, key}, value);
	}
	return r;
}

static int walk_node(struct walk *w, uint32_t node, size_t key, unsigned depth)
{
	struct text rest = w->bytes, prefix;
	const char *table = NULL;
	uint8_t first = 0, last = 0;
	int r = 0;

	if (++w->steps > STEPS_MAX || depth > DEPTH_MAX || !take(&rest, node & OFFSET))
		return -EBADMSG;
	if (node & INDEX_HAS_PREFIX) {
		if (!take_string(&rest, &prefix) || prefix.n > sizeof(w->key) - key)
			return -EBADMSG;
		memcpy(w->key + key, prefix.p, prefix.n);
		key += prefix.n;
	}
	if (node & INDEX_HAS_CHILDS) {
		const char *range = take(&rest, 2);

		if (!range)
			return -EBADMSG;
		first = (uint8_t)range[0];
		last = (uint8_t)range[1];
		if (first > last)
			return -EBADMSG;
		table = take(&rest, ((size_t)last - first + 1) * 4);
		if (!table)
			return -EBADMSG;
	}
	if (node & INDEX_HAS_VALUES)
		r = walk_values(w, rest, key);
	for (unsigned c = first; table && c <= last && r == 0; c++) {
		uint32_t next = get_u32(table + (size_t)(c - first) * 4);

		if (next == 0)
			continue;
		if (key == sizeof(w->key))
			return -EBADMSG;
		w->key[key] = (char)c;
		r = walk_node(w, next, key + 1, depth + 1);
	}
	return r;
}

int index_each(struct text bytes,
	       int (*each)(void *arg, struct text key, struct text value), void *arg)
{
	struct walk w = {.bytes = bytes, .each = each, .arg = arg};
	uint32_t root;

	if (bytes.n < INDEX_HEAD_SIZE || get_u32(bytes.p) != INDEX_MAGIC ||
	    get_u32(bytes.p + 4) >> 16 != INDEX_VERSION >> 16)
		return -EBADMSG;
	root = get_u32(bytes.p + 8);
	/* Without any key. */
	return (root & OFFSET) == 0 ? 0 : walk_node(&w, root, 0, 0);
}

uint32_t index_priority(struct text value)
{
	return get_u32(value.p - 4);
}

struct wanted {
	const char *key;
	struct text value;
};

static int take_value(void *arg, struct text key, struct text value)
{
	struct wanted *w = arg;

	if (!text_is(key, w->key))
		return 0;
	w->value = value;
	return 1;
}

int index_find(struct text bytes, const char *key, struct text *ret)
{
	struct wanted w = {.key = key};
	int r = index_each(bytes, take_value, &w);

	if (r < 0)
		return r;
	if (r == 0)
		return -ENOENT;
	*ret = w.value;
	return 0;
}

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

static int compare_entries(const void *a, const void *b)
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
		qsort(entries, count, sizeof(*entries), compare_entries);
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
	arena_shrink(arena, w.buf, used);
	*ret = (struct text){(const char *)w.buf, used};
	return 0;
}
