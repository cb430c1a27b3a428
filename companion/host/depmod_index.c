/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "depmod_index.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

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

static int compare(void *arg, struct text key, struct text value)
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
	int r = index_each(bytes, compare, &w);

	if (r < 0)
		return r;
	if (r == 0)
		return -ENOENT;
	*ret = w.value;
	return 0;
}
