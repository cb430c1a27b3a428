/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of images, where the tests of the companion do not reach: pieces and limits. */
#include "test.h"

#include "image_check_order.h"
#include "image_read.h"
#include "depmod_index.h"

/* Anew for each use: what a tree needs is more than the other tests have. */
static struct arena *fresh_arena(void)
{
	static char memory[1024 * 1024];
	static struct arena arena = {.base = memory, .size = sizeof(memory)};

	arena_rewind(&arena, 0);
	return &arena;
}

struct archive {
	char bytes[65536];
	size_t used;
};

static void put(struct archive *a, const char *name, unsigned mode, const char *data)
{
	size_t n = strlen(name) + 1, size = strlen(data);

	a->used += (size_t)snprintf(
		a->bytes + a->used, sizeof(a->bytes) - a->used,
		"070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", 1u, mode,
		0u, 0u, 1u, 0u, size, 0u, 0u, 0u, 0u, n, 0u);
	memcpy(a->bytes + a->used, name, n);
	a->used += n;
	a->used = (a->used + 3) & ~(size_t)3;
	memcpy(a->bytes + a->used, data, size);
	a->used = (a->used + size + 3) & ~(size_t)3;
}

static struct archive *small_archive(void)
{
	static struct archive a;

	memset(&a, 0, sizeof(a));
	put(&a, "usr", 040755, "");
	put(&a, "usr/file", 0100644, "content");
	put(&a, "lib", 0120777, "usr");
	put(&a, "lib/other", 0100644, "x");
	put(&a, "TRAILER!!!", 0, "");
	return &a;
}

static bool wants_all(const char *path)
{
	return path[0] != '\0';
}

struct sink {
	struct tree tree;
	size_t trailers;
};

static int add(void *arg, const struct cpio_entry *entry, char **ret_data)
{
	return tree_add(&((struct sink *)arg)->tree, entry, ret_data);
}

static void trailer(void *arg)
{
	((struct sink *)arg)->trailers++;
}

/* However the bytes are cut into pieces, the same files come out. */
static void test_pieces(void **state unused)
{
	const struct archive *a = small_archive();

	for (size_t step = 1; step <= a->used;
	     step = step < 300 ? step + 1 : a->used + 1) {
		static struct sink sink;
		static struct cpio cpio;
		const struct cpio_sink functions = {add, trailer, &sink};
		const struct tree_node *n;
		size_t taken;

		sink = (struct sink){0};
		assert_int_equal(tree_init(&sink.tree, fresh_arena(), wants_all), 0);
		cpio_start(&cpio, &functions, 0);
		for (size_t at = 0; at < a->used; at += taken) {
			const struct text piece = {a->bytes + at,
						   MIN(step, a->used - at)};

			assert_int_equal(cpio_feed(&cpio, piece, &taken), 0);
			assert_int_equal(taken, piece.n);
		}
		assert_true(cpio_is_between(&cpio));
		assert_int_equal(sink.trailers, 1);
		assert_int_equal(sink.tree.lost_count, 0);
		n = tree_find(&sink.tree, "lib/file");
		assert_true(tree_is_file(n));
		assert_memory_equal(n->file->data.p, "content", 8);
		assert_true(tree_is_file(tree_find(&sink.tree, "/usr/other")));
		assert_true(tree_is_link(tree_find_link(&sink.tree, "lib")));
		assert_null(tree_find(&sink.tree, "usr/none"));
	}
}

/* Cut anywhere, it is said; never more than was there. */
static void test_cut(void **state unused)
{
	const struct archive *a = small_archive();
	static struct image image;

	for (size_t n = 1; n < a->used; n++) {
		char *copy = malloc(n);

		assert_non_null(copy);
		memcpy(copy, a->bytes, n);
		assert_int_equal(image_read((struct text){copy, n}, fresh_arena(),
					    wants_all, NULL, &image),
				 0);
		assert_true(image.segment_count == 1);
		free(copy);
	}
}

static void test_many_segments(void **state unused)
{
	static char bytes[(IMAGE_SEGMENTS_MAX + 2) * 124];
	struct archive a = {.used = 0};
	static struct image image;
	size_t used = 0;

	put(&a, "TRAILER!!!", 0, "");
	assert_int_equal(a.used, 124);
	for (size_t i = 0; i < IMAGE_SEGMENTS_MAX + 2; i++, used += a.used)
		memcpy(bytes + used, a.bytes, a.used);
	assert_int_equal(image_read((struct text){bytes, used}, fresh_arena(), wants_all,
				    NULL, &image),
			 0);
	assert_int_equal(image.segment_count, IMAGE_SEGMENTS_MAX);
	assert_non_null(strstr(image.message, "more segments"));
	assert_int_equal(image.error_offset, IMAGE_SEGMENTS_MAX * 124);
}

/* A link to itself, and a chain of links that is longer than the kernel goes. */
static void test_links(void **state unused)
{
	static struct archive a;
	static struct image image;
	char name[16] = "", next[16];

	memset(&a, 0, sizeof(a));
	put(&a, "self", 0120777, "self");
	put(&a, "up", 0120777, "../../..");
	put(&a, "l0", 0100644, "end");
	for (int i = 1; i <= 50; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(next, sizeof(next), "l%d", i - 1);
		put(&a, name, 0120777, next);
	}
	assert_int_equal(image_read((struct text){a.bytes, a.used}, fresh_arena(),
				    wants_all, NULL, &image),
			 0);
	assert_null(image.message);
	assert_null(tree_find(&image.tree, "self"));
	assert_null(tree_find(&image.tree, "self/x"));
	assert_ptr_equal(tree_find(&image.tree, "up"), image.tree.root);
	assert_non_null(tree_find(&image.tree, "l40"));
	assert_null(tree_find(&image.tree, "l41"));
}

static int count(void *arg, struct text key unused, struct text value unused)
{
	++*(size_t *)arg;
	return 0;
}

/* An index that leads back to its own root ends. */
static void test_index(void **state unused)
{
	static const char circle[] = "\xb0\x07\xf4\x57\x00\x02\x00\x01\x20\x00\x00\x0c"
				     "aa\x20\x00\x00\x0c";
	static const char one[] = "\xb0\x07\xf4\x57\x00\x02\x00\x01\xc0\x00\x00\x0c"
				  "key\0\x00\x00\x00\x01\x00\x00\x00\x00value";
	struct text value;
	size_t n = 0;

	assert_int_equal(index_each(TEXT(circle), count, &n), -EBADMSG);
	assert_int_equal(index_find((struct text){one, sizeof(one)}, "key", &value), 0);
	assert_true(text_is(value, "value"));
	assert_int_equal(index_find((struct text){one, sizeof(one)}, "ke", &value),
			 -ENOENT);
	for (size_t cut = 12; cut < sizeof(one); cut++)
		assert_int_equal(index_find((struct text){one, cut}, "key", &value),
				 -EBADMSG);
	assert_int_equal(index_find(TEXT(""), "key", &value), -EBADMSG);
}

static void test_unit(void **state unused)
{
	static struct unit unit;
	struct arena *arena = fresh_arena();

	unit = (struct unit){0};
	assert_int_equal(unit_parse(TEXT("Before=outside\n[Unit]\nBefore=a \\\n# no\n b\n"
					 "[Service]\nBefore=c\nExecStart=-@/x y\n"
					 "TimeoutStartSec = 5 \n"),
				    arena, &unit),
			 0);
	assert_int_equal(unit.before.count, 2);
	assert_true(unit_has(&unit.before, "a") && unit_has(&unit.before, "b"));
	assert_true(unit_has(&unit.commands, "/x"));
	assert_true(text_is(unit.timeout, "5"));
	assert_int_equal(unit_parse(TEXT("[Unit]\r\nBefore=\r\nBefore=d"), arena, &unit),
			 0);
	assert_int_equal(unit.before.count, 1);
	assert_true(unit_has(&unit.before, "d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),	      cmocka_unit_test(test_cut),
		cmocka_unit_test(test_many_segments), cmocka_unit_test(test_links),
		cmocka_unit_test(test_index),	      cmocka_unit_test(test_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
