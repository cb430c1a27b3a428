/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of kernel command lines, and copies of boot menu entries. */
#include "test.h"

#include "loader_files.h"
#include "cmdline_words.h"

static void test_find(void **state unused)
{
	static const struct {
		const char *line, *param;
		int result;
		const char *other;
	} cases[] = {
		{"", "intel_iommu=on", 0, NULL},
		{"quiet intel_iommu=on", "intel_iommu=on", 1, NULL},
		{"intel-iommu=on", "intel_iommu=on", 1, NULL},
		{"intel_iommu=sm_on,on", "intel_iommu=on", 1, NULL},
		{"intel_iommu=off", "intel_iommu=on", -EEXIST, "intel_iommu=off"},
		/* The last one counts. */
		{"intel_iommu=off intel_iommu=on", "intel_iommu=on", 1, NULL},
		{"intel_iommu=on intel_iommu=off", "intel_iommu=on", -EEXIST,
		 "intel_iommu=off"},
		{"xintel_iommu=on intel_iommu", "intel_iommu=on", -EEXIST, "intel_iommu"},
		/* What is quoted, and what is for init. */
		{"a=\"x intel_iommu=on\"", "intel_iommu=on", 0, NULL},
		{"ro -- intel_iommu=off", "intel_iommu=on", 0, NULL},
		/* These add up. */
		{"console=tty0", "console=ttyS0", 0, NULL},
		{"console=ttyS0 console=tty0", "console=ttyS0", 1, NULL},
		{"rd.earlybind.bind=01:00.0", "rd.earlybind.bind=02:00.0", 0, NULL},
		{"quiet", "quiet", 1, NULL},
		{"\n\t quiet\n", "quiet", 1, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text other = {NULL, 0};

		check_int(cases[i].line,
			  words_find(text_of(cases[i].line), text_of(cases[i].param),
				     &other),
			  cases[i].result);
		check_text(cases[i].line, other, cases[i].other);
	}
}

static void test_add(void **state unused)
{
	static const struct {
		const char *line, *param;
		bool is_replaced;
		const char *result;
	} cases[] = {
		{"", "a=1", false, "a=1"},
		{"\n", "a=1", false, "a=1\n"},
		{"root=/dev/sda1  ro\n", "a=1", false, "root=/dev/sda1  ro a=1\n"},
		{"ro -- single\n", "a=1", false, "ro a=1 -- single\n"},
		{"-- single", "a=1", false, "a=1 -- single"},
		{"a=0 b", "a=1", false, "a=0 b a=1"},
		{"a=0 b", "a=1", true, "a=1 b"},
		{"x a=0 b a=2 c\n", "a=1", true, "x a=1 b c\n"},
		{"x  a=0 a=2", "a=1", true, "x  a=1"},
		{"a=\"0 1\" b", "a=1", true, "a=1 b"},
		{"b", "a=1", true, "b a=1"},
		{"b -- a=0", "a=1", true, "b a=1 -- a=0"},
		{"b \"open", "a=1", false, "b \"open a=1"},
	};
	struct arena arena = test_arena(1024 * 1024);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_string(cases[i].line,
			     words_add(text_of(cases[i].line), text_of(cases[i].param),
				       cases[i].is_replaced, &arena),
			     cases[i].result);
	test_arena_free(&arena);
}

static void test_remove(void **state unused)
{
	static const struct {
		const char *line, *result;
	} cases[] = {
		{"ro a=1\n", "ro\n"},
		{"a=1 ro\n", "ro\n"},
		{"x a=1  y a=1", "x  y"},
		{"a=1", ""},
		{"a=12 xa=1 a=\"1 a=1\"", "a=12 xa=1 a=\"1 a=1\""},
		{"", ""},
		{"x\na=1 y\n", "x\ny\n"},
		/* A line of its own. */
		{"x\n  a=1\n  y\n", "x\n  y\n"},
		{"x\n\ta=1 \t\n y", "x \t\n y"},
		{"x\n a=1", "x"},
		{"a=1\n y", "\n y"},
	};
	struct arena arena = test_arena(1024 * 1024);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_string(cases[i].line,
			     words_remove(text_of(cases[i].line), TEXT("a=1"), &arena),
			     cases[i].result);
	test_arena_free(&arena);
}

static void test_check(void **state unused)
{
	static const char *const good[] = {"quiet", "a=1",
					   "rd.earlybind.bind=01:00.*;optional", "a=b=c",
					   "x.y-z=/dev/sda,1"};
	static const char *const bad[] = {
		"",	 "=1",	  "--x", "a b",	       "a=\"1\"", "a='1'", "a=$b",
		"a=`b`", "a=\\b", "a\n", "a=\xc3\xa4", "#",	  "a=!"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		check_true(good[i], !words_check(text_of(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_true(bad[i], words_check(text_of(bad[i])));
}

static void test_entries(void **state unused)
{
	static const struct {
		const char *entry, *copy, *version, *options;
	} cases[] = {
		{"title Debian 12\nversion 6.1\nsort-key debian\nlinux /vmlinuz\n"
		 "options root=1 ro\n",
		 "title Debian 12 (without earlybind)\nversion 6.1\nsort-key zz-earlybind\n"
		 "linux /vmlinuz\noptions root=1 ro rd.earlybind=0\n",
		 "6.1", "root=1 ro"},
		/* Two lines are joined; without a line end, with blanks at the end. */
		{"# options x\nlinux\t/vmlinuz \r\noptions a\noptions b",
		 "# options x\nlinux\t/vmlinuz\noptions a rd.earlybind=0\noptions b\n"
		 "title Linux (without earlybind)\n",
		 "", "a b"},
		{"efi /shell.efi\n",
		 "efi /shell.efi\ntitle Linux (without earlybind)\noptions rd.earlybind=0\n",
		 "", ""},
		{"title x\noptions y\n", NULL, "", "y"},
		{"", NULL, "", ""},
		{"\n\n\n", NULL, "", ""},
	};
	struct arena arena = test_arena(1024 * 1024);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text entry = text_of(cases[i].entry);
		const char *copy = menu_entry_copy(entry, &arena);

		if (cases[i].copy)
			check_string(cases[i].entry, copy, cases[i].copy);
		else
			check_true(cases[i].entry, !copy);
		check_text(cases[i].entry, menu_entry_version(entry), cases[i].version);
		check_string(cases[i].entry, menu_entry_options(entry, &arena),
			     cases[i].options);
	}
	test_arena_free(&arena);
}

/* A copy that is much longer than the entry: each of these lines becomes a longer one. */
static void test_long_copy(void **state unused)
{
	static const char first[] = "linux /x\n", key[] = "sort-key\n",
			  last[] = "initrd /y";
	struct arena arena = test_arena(64 * 1024);
	char entry[2048] = "";
	const char *copy, *rest;
	size_t keys = 0;

	strcat(entry, first);
	for (size_t i = 0; i < 100; i++)
		strcat(entry, key);
	strcat(entry, last);
	copy = menu_entry_copy(text_of(entry), &arena);
	assert_non_null(copy);
	assert_true(copy + strlen(copy) < arena.base + arena.used);
	for (rest = copy; (rest = strstr(rest, "sort-key zz-earlybind\n")); rest++)
		keys++;
	assert_int_equal(keys, 100);
	check_contains(entry, copy, "\ninitrd /y\n");
	test_arena_free(&arena);
}

/* Anything may stand in these files: nothing is read or written beyond the end. */
static void test_garbage(void **state unused)
{
	static const char letters[] = "a=1 \"'\n\t-#o\\$x\r\0\xc3";
	unsigned seed = 1;

	for (size_t round = 0; round < 3000; round++) {
		struct arena arena = test_arena(64 * 1024);
		char *bytes = malloc(40);
		struct text line = {bytes, 0}, other = {NULL, 0};

		assert_non_null(bytes);
		while (line.n < round % 40) {
			seed = seed * 1103515245 + 12345;
			bytes[line.n++] = letters[(seed >> 16) % (sizeof(letters) - 1)];
		}
		/* The memory ends where the text ends. */
		if (line.n > 0) {
			line.p = realloc(bytes, line.n);
			assert_non_null(line.p);
		}
		(void)!words_find(line, TEXT("a=1"), &other);
		assert_non_null(words_add(line, TEXT("a=2"), round % 2, &arena));
		assert_non_null(words_remove(line, TEXT("a=1"), &arena));
		assert_non_null(menu_entry_options(line, &arena));
		(void)menu_entry_copy(line, &arena);
		free((void *)(uintptr_t)line.p);
		test_arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),	cmocka_unit_test(test_add),
		cmocka_unit_test(test_remove),	cmocka_unit_test(test_check),
		cmocka_unit_test(test_entries), cmocka_unit_test(test_long_copy),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
