/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A slot's address and a name, where a command takes a device. */
#include "test.h"

#include "device_words.h"

static const struct {
	const char *word, *expanded; /* NULL: as it is */
	bool is_name; /* if it is no selector */
} words[] = {
	{"01:00", "01:00.*", false},
	{"0000:01:00", "0000:01:00.*", false},
	{"1:0", "1:0.*", false},
	/* An ID, an address and every other selector win. */
	{"10ee:5000", NULL, false},
	{"0001:0000", NULL, false},
	{"01:00.0", NULL, false},
	{"01:00.*", NULL, false},
	{"class=03", NULL, false},
	/* Neither, and no name. */
	{"01:00:", NULL, false},
	{"01:00.9", NULL, false},
	{"zz:00", NULL, false},
	{"100:00", NULL, false},
	{"01:20", NULL, false},
	{"", NULL, false},
	{"-", NULL, false},
	{"a", NULL, false},
	{"acel=x", NULL, false},
	{"0123456789012345678901234567890123456789", NULL, true},
	{"alveo", NULL, true},
	{"4090", NULL, true},
	{"rtx 4090", NULL, true},
};

static void test_words(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct text word = text_of(words[i].word);
		char buf[DEVICE_WORD_SIZE];
		struct text got = device_word_expand(word, buf);
		const char *want = words[i].expanded ? words[i].expanded : words[i].word;
		struct parse_error error;
		struct selector s;

		if (!text_is(got, want))
			fail_msg("%s is %.*s", words[i].word, (int)got.n, got.p);
		if (device_word_parse(word, &s, &error) < 0 &&
		    device_word_is_name(word) != words[i].is_name)
			fail_msg("%s: name", words[i].word);
		if (words[i].expanded) {
			assert_int_equal(s.terms, TERM_ADDRESS);
			assert_true(s.any_function);
		}
	}
}

/* The table of accelerators has names where pci.ids has none. */
static void test_names(void **state unused)
{
	struct arena arena = test_arena((size_t)64 * 1024);
	const struct pci_ids u200 = {
		.vendor = 0x10ee, .device = 0x5000, .class = 0x120000};

	assert_true(device_has_name(NULL, &u200, text_of("alveo"), &arena));
	assert_true(device_has_name(NULL, &u200, text_of("ALVEO u200"), &arena));
	assert_true(device_has_name(NULL, &u200, text_of("u2"), &arena));
	assert_false(device_has_name(NULL, &u200, text_of("lveo"), &arena));
	assert_false(device_has_name(NULL, &u200, text_of("alveo u250"), &arena));
	assert_false(device_has_name(NULL, &u200, text_of("nvidia"), &arena));
	test_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
