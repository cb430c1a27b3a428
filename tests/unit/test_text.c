/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

static void test_cut(void **state unused)
{
	static const struct {
		const char *input;
		const char *parts[5];
	} cases[] = {
		{"", {""}},	     {"a", {"a"}},
		{"a,b", {"a", "b"}}, {"a,,b", {"a", "", "b"}},
		{"a,", {"a", ""}},   {",a", {"", "a"}},
		{",", {"", ""}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text whole = test_text(cases[i].input), rest = whole, part;
		size_t n = 0;

		while (text_cut(&rest, ',', &part)) {
			check_true(cases[i].input, cases[i].parts[n]);
			check_text(cases[i].input, part, cases[i].parts[n]);
			n++;
		}
		check_true(cases[i].input, !cases[i].parts[n]);
		check_true(cases[i].input, !text_cut(&rest, ',', &part));
		test_text_free(whole);
	}
}

static void test_cut_of_nothing(void **state unused)
{
	struct text rest = {NULL, 0}, part;

	assert_false(text_cut(&rest, ',', &part));
}

static void test_word(void **state unused)
{
	static const struct {
		const char *input;
		const char *words[4];
	} cases[] = {
		{"", {NULL}},		{" \t ", {NULL}},	  {"a", {"a"}},
		{" a  b ", {"a", "b"}}, {"a\tb\r\n", {"a", "b"}}, {"a\vb", {"a\vb"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text whole = test_text(cases[i].input), rest = whole, word;
		size_t n = 0;

		while (text_word(&rest, &word))
			check_text(cases[i].input, word, cases[i].words[n++]);
		check_true(cases[i].input, !cases[i].words[n]);
		test_text_free(whole);
	}
}

static void test_trim(void **state unused)
{
	static const char *const cases[][2] = {
		{"", ""},	{"  ", ""},	      {"a", "a"}, {" a b\r\n", "a b"},
		{"\ta\t", "a"}, {"\xa0 a", "\xa0 a"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_text(cases[i][0], text_trim(text_of(cases[i][0])), cases[i][1]);
}

static void test_comparisons(void **state unused)
{
	assert_true(text_is(TEXT("abc"), "abc"));
	assert_false(text_is(TEXT("abc"), "ab"));
	assert_false(text_is(TEXT("ab"), "abc"));
	assert_true(text_is((struct text){"", 0}, ""));
	assert_true(text_has_prefix(TEXT("abc"), "ab"));
	assert_true(text_has_prefix(TEXT("abc"), ""));
	assert_false(text_has_prefix(TEXT("a"), "ab"));
	assert_true(text_is_param(TEXT("vfio-pci.ids"), "vfio_pci.ids"));
	assert_true(text_is_param(TEXT("vfio_pci.ids"), "vfio-pci.ids"));
	assert_false(text_is_param(TEXT("vfio.pci.ids"), "vfio_pci.ids"));
	assert_false(text_is_param(TEXT("VFIO_pci.ids"), "vfio_pci.ids"));
	assert_false(text_is_param(TEXT("vfio_pci.id"), "vfio_pci.ids"));
}

static void test_numbers(void **state unused)
{
	static const struct {
		const char *input;
		bool hex;
		uint64_t max;
		int error;
		uint64_t value;
	} cases[] = {
		{"0", false, 10, 0, 0},
		{"10", false, 10, 0, 10},
		{"11", false, 10, -ERANGE, 0},
		{"007", false, 10, 0, 7},
		{"", false, 10, -EINVAL, 0},
		{"-1", false, 10, -EINVAL, 0},
		{"+1", false, 10, -EINVAL, 0},
		{" 1", false, 10, -EINVAL, 0},
		{"1 ", false, 10, -EINVAL, 0},
		{"1a", false, 100, -EINVAL, 0},
		{"18446744073709551615", false, UINT64_MAX, 0, UINT64_MAX},
		{"18446744073709551616", false, UINT64_MAX, -ERANGE, 0},
		{"99999999999999999999", false, UINT64_MAX, -ERANGE, 0},
		{"fF", true, 0xff, 0, 0xff},
		{"100", true, 0xff, -ERANGE, 0},
		{"g", true, 0xff, -EINVAL, 0},
		{"0x1", true, 0xff, -EINVAL, 0},
		/* A limit below the base's last digit. */
		{"7", true, 7, 0, 7},
		{"8", true, 7, -ERANGE, 0},
		{"f", true, 7, -ERANGE, 0},
		{"5", false, 3, -ERANGE, 0},
		{"1", false, 0, -ERANGE, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = test_text(cases[i].input);
		uint64_t value = 4711;
		int r = cases[i].hex ? text_hex(t, cases[i].max, &value)
				     : text_decimal(t, cases[i].max, &value);

		check_int(cases[i].input, r, cases[i].error);
		check_int(cases[i].input, value, r < 0 ? 4711 : cases[i].value);
		test_text_free(t);
	}
}

static void test_characters(void **state unused)
{
	for (int c = 0; c < 256; c++) {
		bool space = c == ' ' || (c >= 9 && c <= 13) || c == 0xa0;

		assert_int_equal(char_is_space((char)c), space);
	}
	assert_int_equal(char_hex('0'), 0);
	assert_int_equal(char_hex('9'), 9);
	assert_int_equal(char_hex('a'), 10);
	assert_int_equal(char_hex('F'), 15);
	for (const char *c = "/:@G`g \xe6"; *c; c++)
		assert_int_equal(char_hex(*c), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),	    cmocka_unit_test(test_cut_of_nothing),
		cmocka_unit_test(test_word),	    cmocka_unit_test(test_trim),
		cmocka_unit_test(test_comparisons), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
