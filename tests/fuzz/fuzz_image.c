/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image: any bytes can be unpacked, and what came of them is a tree that can be walked. */
#include "fuzz.h"

#include "elf_file.h"
#include "image_check_order.h"
#include "image_read.h"
#include "depmod_index.h"

static size_t found;

static bool wants(const char *path)
{
	return path[0] != '\0';
}

static int count(void *arg, struct text key, struct text value)
{
	size_t *n = arg;

	require(key.n <= INDEX_KEY_MAX && value.n <= TREE_KEEP_MAX);
	return ++*n > 100000;
}

/* What "earlybind check" does with the data of files. */
static void read_data(struct text data, struct arena *arena)
{
	static struct unit unit;
	const char *message = NULL;
	struct text version;
	size_t n = 0;
	int r;

	require(data.n == 0 || data.p);
	r = index_each(data, count, &n);
	require(r == 0 || r == 1 || r == -EBADMSG);
	require(program_check(data, &message) == 0 || message);
	version = program_version(data);
	require(version.n == 0 || is_within(version, data));
	unit = (struct unit){0};
	if (unit_parse(data, arena, &unit) == 0)
		require(unit.before.count <= UNIT_WORDS_MAX);
}

/* Every file is found under its own path; links lead somewhere or nowhere, but end. */
static void walk(const struct tree *tree, const struct tree_node *node,
		 struct arena *arena, unsigned depth)
{
	char path[CPIO_PATH_MAX];
	const char *name = tree_path(node, path);

	found++;
	/* Longer paths are not asked for. */
	if (*name && depth < 1000) {
		require(tree_find_link(tree, name) == node);
		require(tree_is_link(node) || tree_find(tree, name) == node);
		(void)tree_find(tree, name);
	}
	if (tree_is_file(node) && node->file->data.p)
		read_data(node->file->data, arena);
	for (const struct tree_node *n = node->children; n; n = n->next) {
		require(n->parent == node && tree_is_folder(node));
		walk(tree, n, arena, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct image image;
	struct text bytes = fuzz_text(data, size);
	struct arena *arena = fuzz_arena(0);
	uint64_t end = 0;

	require(image_read(bytes, arena, wants, NULL, &image) == 0);
	require(image.segment_count <= IMAGE_SEGMENTS_MAX);
	for (size_t i = 0; i < image.segment_count; i++) {
		const struct image_segment *s = &image.segments[i];

		require(s->offset >= end && s->size <= size - s->offset);
		end = s->offset + s->size;
	}
	require(!image.message || image.error_offset <= size);
	found = 0;
	walk(&image.tree, image.tree.root, arena, 0);
	require(found <= image.tree.node_count);
	free((char *)bytes.p);
	return 0;
}
