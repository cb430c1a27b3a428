/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRUB's settings: what a shell would make of them, without running anything. */
#include "test.h"

#include "loader_files.h"

#define L "GRUB_CMDLINE_LINUX"
#define D "GRUB_CMDLINE_LINUX_DEFAULT"

static void test_parse(void **state unused)
{
	static const struct {
		const char *text, *line, *line_default;
		unsigned doubt;
	} cases[] = {
		{"", "", "", 0},
		{L "=\"\"\n" D "=\"quiet splash\"\n", "", "quiet splash", 0},
		{L "=quiet", "quiet", "", 0},
		{"  export " L "='a b' # why\n", "a b", "", 0},
		{"#" L "=a\n# it's\n" L "=b\n", "b", "", 0},
		{L "=a\n" L "=b", "b", "", 0},
		{L "=a\n" L "+=\" b\"\n", "a", "", 2},
		{L "=a\n" L "=\"$" L " b ${" L "}\"\n", "a b a", "", 0},
		{L "=\"a \\\n  b\"\n", "a   b", "", 0},
		{L "=\"a\nb\"\n", "a\nb", "", 0},
		{L "=a\\ b\n", "a b", "", 0},
		{L "=\"a\\\"b\\$c\\\\d\\e\"\n", "a\"b$c\\d\\e", "", 0},
		{L "='$" L "'\n", "$" L, "", 0},
		{L "=a'b'\"c\"\r\n", "abc\r", "", 0},
		/* Other variables may be anything. */
		{"X=`date | sed \"s/'/x/\"`\nY=$(a; (b); c \\))\nZ=${Y:-x}\n" L "=a\n",
		 "a", "", 0},
		{"GRUB_DISTRIBUTOR=`lsb_release -i 2> /dev/null || echo Debian`\n" L "=a",
		 "a", "", 0},
		{"echo $" L "\nX=\"$" D "\"\n", "", "", 0},
		/* Not understood. */
		{"A=1\n" L "=\"$(cat /x) a\"\n", "", "", 2},
		{L "=\"${X:-1}\"\n", "", "", 1},
		{L "=\"$X b\"\n", "", "", 1},
		{L "=a reboot\n", "", "", 1},
		{L "=a; " L "=b\n", "b", "", 0},
		{"if true; then\n  " L "=a\nfi\n", "", "", 2},
		{"[ x ] && " L "=a\n", "", "", 1},
		{"unset " L "\n", "", "", 1},
		{L " =a\n", "", "", 0},
		{L "X=a\n", "", "", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = test_arena(1024 * 1024);
		struct grub_settings g;

		assert_int_equal(grub_init(&g, &arena, SHELL_SH), 0);
		check_int(cases[i].text, grub_parse(&g, "file", text_of(cases[i].text)),
			  0);
		check_string(cases[i].text, g.line, cases[i].line);
		check_string(cases[i].text, g.line_default, cases[i].line_default);
		check_int(cases[i].text, g.doubt_place.line, cases[i].doubt);
		test_arena_free(&arena);
	}
}

/* Where sh is bash. */
static void test_bash(void **state unused)
{
	struct arena arena = test_arena(1024 * 1024);
	struct grub_settings g;

	assert_int_equal(grub_init(&g, &arena, SHELL_BASH), 0);
	assert_int_equal(grub_parse(&g, "file", TEXT(L "=a\n" L "+=\" b\"\n")), 0);
	check_string("+=", g.line, "a b");
	assert_null(g.doubt_file);
	test_arena_free(&arena);
}

static void test_endless(void **state unused)
{
	static const struct {
		const char *text;
		unsigned line;
	} cases[] = {
		{"A=1\n" L "=\"quiet\nB=2\n", 2},
		{L "='", 1},
		{"\n\nX=`a\n\n", 3},
		{L "=\"$(a\"\n", 1},
		{"X=${a", 1},
		{"X=\"\\", 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = test_arena(1024 * 1024);
		struct grub_settings g;

		assert_int_equal(grub_init(&g, &arena, SHELL_SH), 0);
		check_int(cases[i].text, grub_parse(&g, "file", text_of(cases[i].text)),
			  -EINVAL);
		check_int(cases[i].text, g.shell.lost_place.line, cases[i].line);
		test_arena_free(&arena);
	}
}

/* What is written is read back as it was meant. */
static void test_write(void **state unused)
{
	static const char words[] = "intel_iommu=on a=01:00.*;optional b=<x>";
	struct arena arena = test_arena(1024 * 1024);
	struct grub_settings g;
	const char *text, *taken;

	text = grub_drop_in(words, "intel_iommu=on", &arena);
	assert_non_null(text);
	assert_int_equal(grub_init(&g, &arena, SHELL_SH), 0);
	assert_int_equal(grub_parse(&g, "file", text_of(text)), 0);
	assert_null(g.doubt_file);
	check_string(text, g.line, " intel_iommu=on 'a=01:00.*;optional' 'b=<x>'");
	check_string(text, grub_unquote(g.line, &arena), words);
	check_string(text, g.line_default, " intel_iommu=on");

	text = arena_printf(&arena,
			    "A=1\n%s" GRUB_MARK "\nB=2\n" L "=x # not earlybind's",
			    grub_line(L, words, &arena));
	assert_non_null(text);
	check_string(text, grub_without_lines(text_of(text), &arena, &taken),
		     "A=1\nB=2\n" L "=x # not earlybind's");
	check_contains(text, taken, "b=<x>");
	test_arena_free(&arena);
}

static void test_garbage(void **state unused)
{
	static const char *const parts[] = {
		L,   D,	  "=",	"+=", "\"",	 "'",	     "`",   "$", "{",
		"}", "(", ")",	"\\", "\n",	 " ",	     "#",   ";", "a",
		"&", "|", "\r", "\t", "export ", "${" L "}", "\xff"};
	unsigned seed = 1;

	for (size_t round = 0; round < 5000; round++) {
		struct arena arena = test_arena(256 * 1024);
		char text[512] = "", *exact;
		struct grub_settings g;
		const char *taken;
		size_t n;
		int r;

		for (size_t i = 0; i < round % 20; i++) {
			seed = seed * 1103515245 + 12345;
			strcat(text, parts[(seed >> 16) % ARRAY_SIZE(parts)]);
		}
		/* The memory ends where the text ends; a NUL may stand in it. */
		n = strlen(text);
		exact = malloc(n + 1);
		assert_non_null(exact);
		memcpy(exact, text, n);
		if (n > 3 && round % 7 == 0)
			exact[n / 2] = '\0';
		exact = realloc(exact, n > 0 ? n : 1);
		assert_non_null(exact);
		assert_int_equal(grub_init(&g, &arena, SHELL_SH), 0);
		r = grub_parse(&g, "file", (struct text){exact, n});
		check_true(text, r == 0 || (r == -EINVAL && g.doubt_place.line > 0));
		assert_non_null(
			grub_without_lines((struct text){exact, n}, &arena, &taken));
		free(exact);
		test_arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	cmocka_unit_test(test_bash),
		cmocka_unit_test(test_endless), cmocka_unit_test(test_write),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
