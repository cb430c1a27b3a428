/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "bdf.h"

#define BAD (-EINVAL)

static void test_kernel_spelling(void **state unused)
{
	static const struct {
		const char *input;
		int error;
	} cases[] = {
		{"0000:01:00.0", 0},
		{"ffff:ff:1f.7", 0},
		{"10000:e0:06.0", 0},
		{"ffffffff:ff:1f.7", 0},
		{"", BAD},
		{"01:00.0", BAD},
		{"0000:01:00.8", BAD},
		{"0000:01:20.0", BAD},
		{"0000:01:00.00", BAD},
		{"000:01:00.0", BAD},
		{"00000:01:00.0", BAD},
		{"0000:1:00.0", BAD},
		{"0000:0A:00.0", BAD},
		{"0000:01:00.*", BAD},
		{"0000:01:00", BAD},
		{"0000:01:00.0 ", BAD},
		{" 0000:01:00.0", BAD},
		{"100000000:01:00.0", BAD},
		{"0000:01:00.0:0", BAD},
		{"0000:01:00.", BAD},
		{"0000:001:00.0", BAD},
		{"pci0000:00", BAD},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = test_text(cases[i].input);
		char again[BDF_SIZE];
		struct bdf bdf;

		check_int(cases[i].input, bdf_parse(t, &bdf), cases[i].error);
		if (cases[i].error == 0)
			check_string(cases[i].input, bdf_format(bdf, again),
				     cases[i].input);
		test_text_free(t);
	}
}

static void test_people_spelling(void **state unused)
{
	static const struct {
		const char *input;
		const char *normal; /* NULL: refused */
		bool any;
		size_t offset;
	} cases[] = {
		{"01:00.0", "0000:01:00.0", false, 0},
		{"1:0.0", "0000:01:00.0", false, 0},
		{"0:1:0.0", "0000:01:00.0", false, 0},
		{"0000:0A:1F.7", "0000:0a:1f.7", false, 0},
		{"01:00.*", "0000:01:00.0", true, 0},
		{"10000:01:00.*", "10000:01:00.0", true, 0},
		{"01:00", NULL, false, 3},
		{"01:00.", NULL, false, 6},
		{"01:00.8", NULL, false, 6},
		{"01:00.9", NULL, false, 6},
		{"01:00.f", NULL, false, 6},
		{"01:00.00", NULL, false, 6},
		{"01:20.0", NULL, false, 3},
		{"100:00.0", NULL, false, 0},
		{"0:0:0:0.0", NULL, false, 6},
		{"100000000:0:0.0", NULL, false, 0},
		{"x:0:0.0", NULL, false, 0},
		{"0000:xx:00.0", NULL, false, 5},
		{"00.0", NULL, false, 0},
		{"", NULL, false, 0},
		{"::.", NULL, false, 0},
		{"01:00.0.0", NULL, false, 6},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = test_text(cases[i].input);
		struct parse_error error = {99, NULL};
		char again[BDF_SIZE];
		struct bdf bdf;
		bool any;
		int r = bdf_parse_loose(t, &bdf, &any, &error);

		check_int(cases[i].input, r, cases[i].normal ? 0 : -EINVAL);
		if (cases[i].normal) {
			check_string(cases[i].input, bdf_format(bdf, again),
				     cases[i].normal);
			check_int(cases[i].input, any, cases[i].any);
		} else {
			check_int(cases[i].input, error.offset, cases[i].offset);
			check_true(cases[i].input, error.message && error.message[0]);
		}
		test_text_free(t);
	}
}

static void test_star_only_where_it_may_be(void **state unused)
{
	struct parse_error error;
	struct bdf bdf;

	assert_int_equal(bdf_parse_loose(TEXT("01:00.*"), &bdf, NULL, &error), -EINVAL);
	assert_int_equal(error.offset, 6);
}

static void test_order(void **state unused)
{
	static const struct bdf sorted[] = {
		{0, 0, 0, 0}, {0, 0, 0, 7}, {0, 0, 1, 0},	{0, 0, 31, 7},
		{0, 1, 0, 0}, {1, 0, 0, 0}, {0x10000, 0, 0, 0}, {0xffffffff, 0, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		for (size_t k = 0; k < ARRAY_SIZE(sorted); k++) {
			int order = bdf_compare(sorted[i], sorted[k]);

			assert_int_equal(order < 0, i < k);
			assert_int_equal(order > 0, i > k);
		}
	assert_true(bdf_is_same_slot(sorted[0], sorted[1]));
	assert_false(bdf_is_same_slot(sorted[1], sorted[2]));
	assert_false(bdf_is_same_slot(sorted[0], sorted[4]));
	assert_false(bdf_is_same_slot(sorted[0], sorted[5]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_spelling),
		cmocka_unit_test(test_people_spelling),
		cmocka_unit_test(test_star_only_where_it_may_be),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
