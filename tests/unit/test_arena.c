/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/mman.h>

#include "test.h"

#if ARENA_RED_ZONE > 0
#include <sanitizer/asan_interface.h>
#endif

static void test_alloc_is_aligned_and_bounded(void **state unused)
{
	struct arena arena = test_arena(64 + 2 * ARENA_RED_ZONE);
	char *a = arena_alloc(&arena, 3, 1), *b = arena_alloc(&arena, 2, 8);

	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(b - a, 16 + ARENA_RED_ZONE);
	assert_null(arena_alloc(&arena, 33, 1));
	assert_non_null(arena_alloc(&arena, 32, 1));
	assert_null(arena_alloc(&arena, 1, 1));
	/* Nothing always fits, but for another red zone. */
	assert_int_equal(arena_alloc(&arena, 0, 8) != NULL, ARENA_RED_ZONE == 0);
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
	char long_text[5001];

	assert_string_equal(arena_copy(&arena, TEXT("abc")), "abc");
	assert_string_equal(arena_copy(&arena, (struct text){NULL, 0}), "");
	assert_string_equal(arena_printf(&arena, "%s-%d", "a", 7), "a-7");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_string_equal(arena_printf(&arena, "%s", long_text), long_text);
	test_arena_free(&arena);
}

/* Whole, in exactly as many bytes as it needs; or not at all, and nothing was touched. */
static void test_print_is_whole_or_not(void **state unused)
{
	for (size_t size = 0; size < 40; size++) {
		struct arena arena = test_arena(64);
		static const char zeros[64];
		const char *text;

		arena.size = size;
		text = arena_printf(&arena, "%s%d", "0123456789abcdefghij", 42);
		check_true("fits", (text != NULL) == (size >= 23));
		check_int("used", (int64_t)arena.used, text ? 23 : 0);
		if (text)
			check_string("text", text, "0123456789abcdefghij42");
		assert_memory_equal(arena.base + arena.used, zeros, 64 - arena.used);
		test_arena_free(&arena);
	}
}

static void test_buffer_of_caller(void **state unused)
{
	char buf[8] = "";
	struct text_buffer b = {.buf = buf, .size = sizeof(buf)};

	text_add(&b, "%s", "abc");
	text_add(&b, "%d", 4567);
	assert_string_equal(text_shown(&b), "abc4567");
	assert_false(b.is_full);
	assert_int_equal(b.used, 7);
	text_add(&b, "8");
	assert_true(b.is_full);
	/* What would fit is not added behind what did not. */
	b.used = 3;
	text_add(&b, "9");
	assert_int_equal(b.used, 3);
	b.used = 7;
	assert_string_equal(text_shown(&b), "abc4...");
	for (size_t size = 0; size < 4; size++) {
		b = (struct text_buffer){.buf = buf, .size = size};
		memset(buf, 'x', sizeof(buf));
		text_add(&b, "abcd");
		assert_true(b.is_full);
		(void)text_shown(&b);
		assert_memory_equal(buf + size, "xxxx", 4);
	}
}

static void test_buffer_in_arena(void **state unused)
{
	struct arena arena = test_arena(64 + 2 * ARENA_RED_ZONE);
	struct text_buffer b = {.arena = &arena};
	char *other;

	text_add(&b, "%s", "abc");
	text_add(&b, "%s", "def");
	/* In its place, while nothing is behind it. */
	assert_ptr_equal(b.buf, arena.base);
	assert_int_equal(arena.used, 7);
	other = arena_copy(&arena, TEXT("other"));
	text_add(&b, "%s%s", b.buf, "ghi");
	assert_string_equal(b.buf, "abcdefabcdefghi");
	assert_string_equal(other, "other");
	assert_int_equal(arena.used, 48 + 2 * ARENA_RED_ZONE);
	text_add(&b, "%17s", "");
	assert_true(b.is_full);
	assert_string_equal(b.buf, "abcdefabcdefghi");
	assert_int_equal(arena.used, 48 + 2 * ARENA_RED_ZONE);
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

static void test_shrink(void **state unused)
{
	struct arena arena = test_arena(64);
	char *kept = arena_alloc(&arena, 64, 1);

	assert_non_null(kept);
	arena_shrink(&arena, kept, 5);
	assert_int_equal(arena.used, 5);
	arena_shrink(&arena, kept, 0);
	assert_ptr_equal(arena_alloc(&arena, 64, 1), kept);
	test_arena_free(&arena);
}

static void test_map(void **state unused)
{
	/* Another one at the same place is not poisoned. */
	for (int i = 0; i < 2; i++) {
		struct arena arena;
		char *all;

		assert_int_equal(arena_map(&arena, 4096), 0);
		assert_non_null(arena_alloc(&arena, 1, 1));
		arena_rewind(&arena, 0);
		all = arena_alloc(&arena, 1, 4096);
		assert_non_null(all);
		memset(all, 'x', 4096);
		arena_rewind(&arena, 0);
		arena_unmap(&arena);
		assert_null(arena.base);
		all = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(all, MAP_FAILED);
		memset(all, 'x', 4096);
		munmap(all, 4096);
	}
}

/* What does not fit is in memory that is mapped then; what was there stays as it is. */
static void test_more(void **state unused)
{
	struct arena arena = test_arena(64), first = arena;
	struct text_buffer b = {.arena = &arena};
	char *big;
	size_t used;

	arena.more = 4096;
	text_add(&b, "%s", "twenty-three characters");
	used = arena.used;
	text_add(&b, "%s", " and more than there is room for in sixty-four bytes");
	assert_false(b.is_full);
	assert_string_equal(
		b.buf,
		"twenty-three characters and more than there is room for in sixty-four bytes");
	assert_ptr_equal(b.buf, arena.base);
	assert_memory_equal(first.base, "twenty-three characters", used);
	/* All that was allocated since then is in the new memory. */
	arena_rewind(&arena, used + 1000);
	assert_int_equal(arena.used, 0);
	big = arena_alloc(&arena, 4096, 1);
	assert_ptr_equal(big, arena.base);
	assert_int_equal(big[0], 0);
	/* Once. */
	assert_null(arena_alloc(&arena, 1, 1));
	arena_unmap(&arena);
	test_arena_free(&first);
}

#if ARENA_RED_ZONE > 0
static void check_poison(const char *p, const char *want)
{
	for (size_t i = 0; want[i] != '\0'; i++)
		if (__asan_address_is_poisoned(p + i) != (want[i] == 'x'))
			fail_msg("byte %zu is not as in %s", i, want);
}

/* Just what was handed out may be touched. */
static void test_red_zones(void **state unused)
{
	struct arena arena = test_arena(96);
	char *a = arena_alloc(&arena, 5, 1), *b = arena_alloc(&arena, 33, 1);
	size_t used = arena.used;

	assert_non_null(a);
	assert_non_null(b);
	check_poison(a, ".....xxxxxxxxxxxxxxxxxxxxxxxxxxx");
	check_poison(b,
		     ".................................xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	arena_shrink(&arena, b, 2);
	check_poison(b, "..xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_non_null(arena_alloc(&arena, 1, 1));
	arena_rewind(&arena, 5);
	check_poison(
		a,
		".....xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_ptr_equal(arena_alloc(&arena, 33, 1), b);
	check_poison(b,
		     ".................................xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_int_equal(arena.used, used);
	test_arena_free(&arena);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc_is_aligned_and_bounded),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_odd_size),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_print_is_whole_or_not),
		cmocka_unit_test(test_buffer_of_caller),
		cmocka_unit_test(test_buffer_in_arena),
		cmocka_unit_test(test_rewind),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_shrink),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_more),
#if ARENA_RED_ZONE > 0
		cmocka_unit_test(test_red_zones),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
