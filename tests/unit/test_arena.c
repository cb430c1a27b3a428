/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

static void test_alloc_is_aligned_and_bounded(void **state unused)
{
	struct arena arena = test_arena(64);
	char *a = arena_alloc(&arena, 3, 1), *b = arena_alloc(&arena, 2, 8);

	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(b - a, 16);
	assert_null(arena_alloc(&arena, 33, 1));
	assert_non_null(arena_alloc(&arena, 32, 1));
	assert_null(arena_alloc(&arena, 1, 1));
	/* Nothing is as good as something. */
	assert_non_null(arena_alloc(&arena, 0, 8));
	test_arena_free(&arena);
}

static void test_overflow(void **state unused)
{
	struct arena arena = test_arena(64);

	assert_null(arena_alloc(&arena, SIZE_MAX, 2));
	assert_null(arena_alloc(&arena, SIZE_MAX / 16 + 1, 16));
	assert_null(arena_alloc(&arena, SIZE_MAX, 1));
	assert_int_equal(arena.used, 0);
	assert_null(arena_copy(&arena, (struct text){"x", 64}));
	test_arena_free(&arena);
}

static void test_odd_size(void **state unused)
{
	struct arena arena = test_arena(20);

	assert_non_null(arena_alloc(&arena, 17, 1));
	/* Rounded up, the next one would start behind the end. */
	assert_null(arena_alloc(&arena, 1, 1));
	assert_null(arena_alloc(&arena, 0, 1));
	test_arena_free(&arena);
}

static void test_strings(void **state unused)
{
	struct arena arena = test_arena(8192);
	char long_text[3000];

	assert_string_equal(arena_copy(&arena, TEXT("abc")), "abc");
	assert_string_equal(arena_copy(&arena, (struct text){NULL, 0}), "");
	assert_string_equal(arena_printf(&arena, "%s-%d", "a", 7), "a-7");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	/* Cut, not lost. */
	assert_int_equal(strlen(arena_printf(&arena, "%s", long_text)),
			 ARENA_LINE_MAX - 1);
	test_arena_free(&arena);
}

static void test_rewind(void **state unused)
{
	struct arena arena = test_arena(64);
	char *kept = arena_copy(&arena, TEXT("kept")), *lent;
	size_t used = arena.used;

	lent = arena_copy(&arena, TEXT("lent"));
	arena_rewind(&arena, used);
	assert_string_equal(kept, "kept");
	/* The same place, zeroed. */
	assert_ptr_equal(arena_alloc(&arena, 5, 1), lent);
	assert_memory_equal(lent, "\0\0\0\0", 5);
	test_arena_free(&arena);
}

static void test_full(void **state unused)
{
	struct arena arena = test_arena(4);

	assert_null(arena_copy(&arena, TEXT("abcd")));
	assert_null(arena_printf(&arena, "%d", 12345));
	assert_string_equal(arena_copy(&arena, TEXT("abc")), "abc");
	test_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc_is_aligned_and_bounded),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_odd_size),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_rewind),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
