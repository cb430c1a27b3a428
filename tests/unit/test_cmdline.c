/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's dialect, as a table of what next_arg() and parse_args() (lib/cmdline.c,
 * kernel/params.c) make of a line.
 */
#include "test.h"

#include "kernel_cmdline.h"

#define END \
	{ \
		NULL, NULL \
	}

struct pair {
	const char *name;
	const char *value; /* NULL: there was no '=' */
};

static const struct {
	const char *line;
	struct pair args[6];
} cases[] = {
	/* Nothing */
	{"", {END}},
	{" \t\n\v\f\r\xa0", {END}},

	/* Plain words */
	{"quiet", {{"quiet", NULL}, END}},
	{"a=b c", {{"a", "b"}, {"c", NULL}, END}},
	{"  a=b \n", {{"a", "b"}, END}},
	{"a=", {{"a", ""}, END}},
	{"a=b=c", {{"a", "b=c"}, END}},
	{"a==b", {{"a", "=b"}, END}},

	/* Every white space of the kernel separates, 0xa0 too */
	{"a\tb\nc\vd\fe",
	 {{"a", NULL}, {"b", NULL}, {"c", NULL}, {"d", NULL}, {"e", NULL}, END}},
	{"a\rb\xa0"
	 "c",
	 {{"a", NULL}, {"b", NULL}, {"c", NULL}, END}},

	/* '=' first is part of the name; the next one splits */
	{"=b", {{"=b", NULL}, END}},
	{"=", {{"=", NULL}, END}},
	{"=a=b", {{"=a", "b"}, END}},
	{"==b", {{"=", "b"}, END}},

	/* Quotes round the value */
	{"a=\"b c\" d", {{"a", "b c"}, {"d", NULL}, END}},
	{"a=\"\"", {{"a", ""}, END}},
	{"a=\"b=c d\"", {{"a", "b=c d"}, END}},
	{"a=\"b\"c", {{"a", "b\"c"}, END}},
	{"a=\"b\"\" c\"", {{"a", "b\"\" c"}, END}},

	/* Quotes round the whole parameter */
	{"\"a=b c\" d", {{"a", "b c"}, {"d", NULL}, END}},
	{"\"a b\"", {{"a b", NULL}, END}},
	{"\"a= b\"", {{"a", " b"}, END}},
	{"\"a\"=b", {{"a\"", "b"}, END}},
	{"\"a\"b", {{"a\"b", NULL}, END}},
	{"\"a=\"b\"\"", {{"a", "b\""}, END}},
	{"\"a=\"b c\" d", {{"a", "b"}, {"c\" d", NULL}, END}},

	/* Inner quotes group blanks and stay */
	{"a=b\" \"c d", {{"a", "b\" \"c"}, {"d", NULL}, END}},
	{"a\" \"b=c", {{"a\" \"b", "c"}, END}},
	{"a=b\"", {{"a", "b\""}, END}},

	/* Unterminated: to the end of the line */
	{"a=\"b c", {{"a", "b c"}, END}},
	{"a=\"", {{"a", ""}, END}},
	{"a=\" b", {{"a", " b"}, END}},
	{"\"a b", {{"a b", NULL}, END}},
	{"\"a=b c", {{"a", "b c"}, END}},
	{"a=b\" c d", {{"a", "b\" c d"}, END}},

	/* Nothing but quotes */
	{"\"", {{"", NULL}, END}},
	{"\"\"", {{"", NULL}, END}},
	{"\"\" a", {{"", NULL}, {"a", NULL}, END}},
	{"\" \"", {{" ", NULL}, END}},
	{"\"\"\"", {{"\"", NULL}, END}},
	{"\"=", {{"=", NULL}, END}},

	/* No escapes */
	{"a=\\\"b c\\\"", {{"a", "\\\"b c\\\""}, END}},
	{"a=b\\ c", {{"a", "b\\"}, {"c", NULL}, END}},

	/* "--" is a parameter like others here; policy stops at it */
	{"a -- b", {{"a", NULL}, {"--", NULL}, {"b", NULL}, END}},

	/* The line of the reference machine */
	{"intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001",
	 {{"intel_iommu", "on"}, {"vfio-pci.ids", "10ee:5000,10ee:5001"}, END}},
};

static void test_dialect(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *line = cases[i].line;
		struct text whole = test_text(line), rest = whole;
		struct cmdline_arg arg;
		size_t n = 0;

		while (cmdline_next(&rest, &arg)) {
			check_true(line, n < 6 && cases[i].args[n].name);
			check_text(line, arg.name, cases[i].args[n].name);
			check_text(line, arg.value, cases[i].args[n].value);
			n++;
		}
		check_true(line, !cases[i].args[n].name);
		check_true(line, !cmdline_next(&rest, &arg));
		test_text_free(whole);
	}
}

static void test_nul_ends_the_line(void **state unused)
{
	struct text rest = {"a=b\0c d\0", 8};
	struct cmdline_arg arg;

	assert_true(cmdline_next(&rest, &arg));
	check_text("NUL", arg.value, "b");
	assert_false(cmdline_next(&rest, &arg));
	rest = (struct text){"a=\"b\0c\" d", 9};
	assert_true(cmdline_next(&rest, &arg));
	check_text("NUL in quotes", arg.value, "b");
	assert_false(cmdline_next(&rest, &arg));
}

static void test_no_line_at_all(void **state unused)
{
	struct text rest = {NULL, 0};
	struct cmdline_arg arg;

	assert_false(cmdline_next(&rest, &arg));
}

static void test_end(void **state unused)
{
	static const struct {
		const char *line;
		bool is_end;
	} ends[] = {
		{"--", true},	{"\"--\"", true}, {"--=", false},     {"--=x", false},
		{"---", false}, {"-", false},	  {"\"-- \"", false}, {"-_", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct text rest = text_of(ends[i].line);
		struct cmdline_arg arg;

		check_true(ends[i].line, cmdline_next(&rest, &arg));
		check_int(ends[i].line, cmdline_is_end(&arg), ends[i].is_end);
	}
}

/* kernel/params.c: param_set_bool(), lib/kstrtox.c: kstrtobool() */
static void test_bool(void **state unused)
{
	static const struct {
		const char *line;
		int error;
		bool value;
	} bools[] = {
		{"a", 0, true},		 {"a=1", 0, true},
		{"a=y", 0, true},	 {"a=Yes", 0, true},
		{"a=true", 0, true},	 {"a=on", 0, true},
		{"a=ON", 0, true},	 {"a=1garbage", 0, true},
		{"a=0", 0, false},	 {"a=n", 0, false},
		{"a=No", 0, false},	 {"a=false", 0, false},
		{"a=off", 0, false},	 {"a=oF", 0, false},
		{"a=", -EINVAL, false},	 {"a=2", -EINVAL, false},
		{"a=o", -EINVAL, false}, {"a=oops", -EINVAL, false},
		{"a= ", -EINVAL, false}, {"a=\" 1\"", -EINVAL, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bools); i++) {
		struct text whole = test_text(bools[i].line), rest = whole;
		struct cmdline_arg arg;
		bool value = !bools[i].value;
		int r;

		check_true(bools[i].line, cmdline_next(&rest, &arg));
		r = cmdline_bool(&arg, &value);
		check_int(bools[i].line, r, bools[i].error);
		check_int(bools[i].line, value, r < 0 ? !bools[i].value : bools[i].value);
		test_text_free(whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialect),
		cmocka_unit_test(test_nul_ends_the_line),
		cmocka_unit_test(test_no_line_at_all),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_bool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
