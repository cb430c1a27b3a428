/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Foreign text in each format: what is put out as it is, and '?' for each other byte. */
#include "test.h"

#include "json.h"
#include "message.h"

static const struct {
	const char *text, *safe, *json;
} cases[] = {
	{"plain \xe2\x82\xac \xf0\x9f\x98\x80", "plain \xe2\x82\xac \xf0\x9f\x98\x80",
	 "plain \xe2\x82\xac \xf0\x9f\x98\x80"},
	{"a\nb\rc\td", "a?b?c?d", "a\\u000ab\\u000dc\\u0009d"},
	{"a\033[2Jb\x7f", "a?[2Jb?", "a\\u001b[2Jb\\u007f"},
	/* C1: next line, and the one-byte form of ESC [. */
	{"a\xc2\x85"
	 "b\xc2\x9b",
	 "a??b??", "a\\u0085b\\u009b"},
	{"a\xe2\x80\xa8"
	 "b\xe2\x80\xa9",
	 "a???b???", "a\\u2028b\\u2029"},
	{"a\xe2\x80\xae"
	 "b\xe2\x81\xa9",
	 "a???b???", "a\\u202eb\\u2069"},
	{"\xef\xbb\xbf"
	 "a\xef\xbf\xbe",
	 "???a???", "\\ufeffa\\ufffe"},
	/* No UTF-8: a byte alone, overlong, a surrogate, cut. */
	{"a\xff", "a?", "a\\u00ff"},
	{"\xc0\x8a", "??", "\\u00c0\\u008a"},
	{"\xed\xa0\x80", "???", "\\u00ed\\u00a0\\u0080"},
	{"\xe2\x80", "??", "\\u00e2\\u0080"},
	{"\"\\'-->", "\"\\'-->", "\\\"\\\\'-->"},
	{"", "", ""},
};

static void test_lines(void **state unused)
{
	struct arena arena = test_arena(65536);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_string(cases[i].text, text_safe(text_of(cases[i].text), &arena),
			     cases[i].safe);
	test_arena_free(&arena);
}

static void test_strings(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[256], want[256];
		struct json json = {.buf = buf, .size = sizeof(buf)};

		json_put_string(&json, NULL, cases[i].text);
		snprintf(want, sizeof(want), "\"%s\"", cases[i].json);
		check_string(cases[i].text, buf, want);
	}
}

/* Words of a shell, and the words themselves, read back by one. */
static void test_words(void **state unused)
{
	static const struct {
		const char *word, *want;
	} words[] = {
		{"update-grub", "update-grub"},
		{"--args=iommu=pt", "--args=iommu=pt"},
		{"", "''"},
		{"a b", "'a b'"},
		{"a=b;c", "'a=b;c'"},
		{"$(reboot)", "'$(reboot)'"},
		{"it's", "'it'\\''s'"},
		{"~", "'~'"},
		{"a\nb", "'a\nb'"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char buf[64];
		struct text_buffer b = {.buf = buf, .size = sizeof(buf)};

		text_add_word(&b, words[i].word);
		check_string(words[i].word, text_shown(&b), words[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
