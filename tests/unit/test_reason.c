/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "reason.h"

static void test_words_are_unique_and_plain(void **state unused)
{
	assert_string_equal(reason_word(REASON_NONE), "");
	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		const char *word = reason_word(r);

		check_true(word, word[0]);
		check_true(word,
			   strspn(word, "abcdefghijklmnopqrstuvwxyz-") == strlen(word));
		for (enum reason k = REASON_NONE; k < r; k++)
			check_true(word, strcmp(word, reason_word(k)) != 0);
	}
}

static void test_every_sentence_is_complete(void **state unused)
{
	char message[REASON_MESSAGE_SIZE], with[REASON_MESSAGE_SIZE];

	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		const char *word = reason_word(r);

		reason_message(r, NULL, message);
		check_true(word, strlen(message) > 10);
		check_true(word, !strchr(message, '%'));
		/* A full stop or a line end would not fit into a line of the log. */
		check_true(word, message[strlen(message) - 1] != '.');
		check_true(word, !strchr(message, '\n'));
		reason_message(r, "DETAIL", with);
		/* The detail stands where the "?" stood, or nowhere. */
		check_int(word, strstr(with, "DETAIL") != NULL,
			  strcmp(message, with) != 0);
	}
}

static void test_long_detail_is_cut(void **state unused)
{
	char detail[1000], message[REASON_MESSAGE_SIZE];

	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = '\0';
	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		char without[REASON_MESSAGE_SIZE];
		const char *hole;

		reason_message(r, detail, message);
		reason_message(r, NULL, without);
		hole = strchr(without, '?');
		if (strcmp(message, without) == 0)
			continue;
		/* The remedy behind the detail is not cut with it. */
		check_true(reason_word(r), hole);
		check_string(reason_word(r), message + strlen(message) - strlen(hole + 1),
			     hole + 1);
		check_int(reason_word(r), (int64_t)strlen(message), sizeof(message) - 1);
		check_true(reason_word(r),
			   memcmp(message + strlen(message) - strlen(hole + 1) - 3, "...",
				  3) == 0);
	}
}

static void test_details_with_percent_signs(void **state unused)
{
	char message[REASON_MESSAGE_SIZE];

	check_contains("%s", reason_message(REASON_KEPT, "%s%n%d", message), "%s%n%d");
}

static void test_errno_text(void **state unused)
{
	assert_string_equal(errno_text(-ENODEV), "no such device (ENODEV)");
	assert_string_equal(errno_text(ENODEV), "no such device (ENODEV)");
	check_contains("EXDEV", errno_text(EXDEV), "ross");
	assert_non_null(errno_text(99999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_unique_and_plain),
		cmocka_unit_test(test_every_sentence_is_complete),
		cmocka_unit_test(test_long_detail_is_cut),
		cmocka_unit_test(test_details_with_percent_signs),
		cmocka_unit_test(test_errno_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
