/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of the firmware, as efibootmgr writes them, also cut and damaged ones. */
#include "test.h"

#include "boot_entries.h"

struct writer {
	char bytes[512];
	size_t n;
};

static void put(struct writer *w, uint32_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		w->bytes[w->n++] = (char)(value >> 8 * i);
}

static void put_words(struct writer *w, const char *text, bool has_end)
{
	for (; *text; text++)
		put(w, (unsigned char)*text, 2);
	if (has_end)
		put(w, 0, 2);
}

static struct writer write_entry(void)
{
	struct writer w = {.n = 0};

	put(&w, 7, 4); /* of the variable */
	put(&w, 1, 4);
	put(&w, 42 + 4 + 2 * 7 + 4, 2);
	put_words(&w, "Arch", false);
	put(&w, 0xfc, 2); /* u with two dots */
	put(&w, 0, 2);
	put(&w, 0x0104, 2); /* the partition */
	put(&w, 42, 2);
	put(&w, 3, 4);
	for (size_t i = 0; i < 34; i++)
		put(&w, 0, 1);
	put(&w, 0x0404, 2); /* the file */
	put(&w, 4 + 2 * 7, 2);
	put_words(&w, "\\linux", true);
	put(&w, 0xff7f, 2); /* the end of the path */
	put(&w, 4, 2);
	put_words(&w, "root=/dev/sda2 ro", false);
	return w;
}

static void test_parse(void **state unused)
{
	struct writer w = write_entry();
	struct arena arena = test_arena(65536);
	struct efi_entry entry = {.number = 3};

	assert_int_equal(efi_entry_parse((struct text){w.bytes, w.n}, &arena, &entry), 0);
	assert_int_equal(entry.number, 3);
	assert_string_equal(entry.label, "Arch\xc3\xbc");
	assert_int_equal(entry.partition, 3);
	assert_string_equal(entry.program, "\\linux");
	assert_string_equal(entry.options, "root=/dev/sda2 ro");
	test_arena_free(&arena);
}

/* Cut at any byte it is an error, or has shorter options. */
static void test_cut(void **state unused)
{
	struct writer w = write_entry();

	for (size_t n = 0; n < w.n; n++) {
		struct arena arena = test_arena(65536);
		char *copy = malloc(n > 0 ? n : 1);
		struct text bytes = {copy, n};
		struct efi_entry entry = {.number = 3};
		int r;

		assert_non_null(copy);
		memcpy(copy, w.bytes, n);
		r = efi_entry_parse(bytes, &arena, &entry);
		assert_true(r == -EBADMSG || (r == 0 && strlen(entry.options) < 17));
		test_text_free(bytes);
		test_arena_free(&arena);
	}
}

static void test_damaged_path(void **state unused)
{
	struct writer w = write_entry();
	struct arena arena = test_arena(65536);
	struct efi_entry entry = {.number = 3};

	w.bytes[4 + 6 + 12 + 2] = 3; /* a node that is shorter than its head */
	assert_int_equal(efi_entry_parse((struct text){w.bytes, w.n}, &arena, &entry),
			 -EBADMSG);
	assert_null(entry.label);
	test_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
