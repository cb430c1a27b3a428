/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "table.h"

static struct table_section *encode(const char *text)
{
	struct table_section *section = malloc(sizeof(*section));

	assert_non_null(section);
	assert_int_equal(table_encode(text_of(text), section), 0);
	return section;
}

static void test_round_trip(void **state unused)
{
	static const char *const texts[] = {"", "x", "bind 10ee:5000\nkeep 02:00.0\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct table_section *section = encode(texts[i]);
		struct text t = {0};

		check_int(texts[i], table_decode(section, sizeof(*section), &t), 0);
		check_text(texts[i], t, texts[i]);
		free(section);
	}
}

static void test_capacity(void **state unused)
{
	char *text = malloc(TABLE_CAPACITY + 1);
	struct table_section *section = malloc(sizeof(*section));
	struct text t;

	assert_non_null(text);
	assert_non_null(section);
	memset(text, 'x', TABLE_CAPACITY + 1);
	assert_int_equal(table_encode((struct text){text, TABLE_CAPACITY + 1}, section),
			 -ENOSPC);
	assert_int_equal(table_encode((struct text){text, TABLE_CAPACITY}, section), 0);
	assert_int_equal(table_decode(section, sizeof(*section), &t), 0);
	assert_int_equal(t.n, TABLE_CAPACITY);
	free(text);
	free(section);
}

/* Every byte of the head and of the text is guarded by something. */
static void test_damage(void **state unused)
{
	struct table_section *section = encode("bind 10ee:5000\n");
	size_t end = offsetof(struct table_section, text) + 15;
	char *bytes = (char *)section;
	struct text t = {"untouched", 9};

	for (size_t i = 0; i < end; i++) {
		size_t capacity = offsetof(struct table_section, capacity);
		int r;

		/* More capacity than there is would do no harm: the size is known. */
		if (i >= capacity && i < capacity + 4)
			continue;
		bytes[i] ^= 0x40;
		r = table_decode(section, sizeof(*section), &t);
		if (r != -EBADMSG && r != -EPROTONOSUPPORT)
			fail_msg("byte %zu: %d", i, r);
		bytes[i] ^= 0x40;
	}
	check_text("damage", t, "untouched");
	free(section);
}

static void test_bad_heads(void **state unused)
{
	static const struct {
		const char *name;
		size_t offset;
		unsigned char bytes[4];
		int error;
	} heads[] = {
		{"no magic", 0, {0, 0, 0, 0}, -EBADMSG},
		{"version 0",
		 offsetof(struct table_section, version),
		 {0},
		 -EPROTONOSUPPORT},
		{"version 2",
		 offsetof(struct table_section, version),
		 {2},
		 -EPROTONOSUPPORT},
		{"length over capacity",
		 offsetof(struct table_section, length),
		 {0, 0, 1, 0},
		 -EBADMSG},
		{"huge length",
		 offsetof(struct table_section, length),
		 {0xff, 0xff, 0xff, 0xff},
		 -EBADMSG},
		{"small capacity",
		 offsetof(struct table_section, capacity),
		 {3},
		 -EBADMSG},
		{"wrong checksum",
		 offsetof(struct table_section, checksum),
		 {1},
		 -EBADMSG},
	};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		struct table_section *section = encode("bind 10ee:5000\n");
		struct text t;

		memcpy((char *)section + heads[i].offset, heads[i].bytes, 4);
		check_int(heads[i].name, table_decode(section, sizeof(*section), &t),
			  heads[i].error);
		free(section);
	}
}

static void test_truncated(void **state unused)
{
	struct table_section *section = encode("bind 10ee:5000\n");
	const size_t head = offsetof(struct table_section, text);
	struct text t;

	for (size_t n = 0; n < head + 15; n++) {
		char *copy = malloc(n + 1);

		assert_non_null(copy);
		memcpy(copy, section, n);
		assert_int_equal(table_decode(copy, n, &t), -EBADMSG);
		free(copy);
		/* Even if what is missing would follow. */
		assert_int_equal(table_decode(section, n, &t), -EBADMSG);
	}
	assert_int_equal(table_decode(section, head + 15, &t), 0);
	free(section);
}

/* What the package ships: a valid, empty table. */
static void test_embedded(void **state unused)
{
	struct text bytes = table_embedded(), t;

	assert_int_equal(bytes.n, TABLE_SECTION_SIZE);
	assert_int_equal(table_decode(bytes.p, bytes.n, &t), 0);
	assert_int_equal(t.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_damage),	   cmocka_unit_test(test_bad_heads),
		cmocka_unit_test(test_truncated),  cmocka_unit_test(test_embedded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
