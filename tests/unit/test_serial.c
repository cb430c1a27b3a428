/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk through config spaces of all kinds. What people write: test_selector.c */
#include "test.h"

#include "serial.h"

#define SERIAL	 UINT64_C(0x000a35ffff001234)
#define LOW	 0xff001234
#define HIGH	 0x000a35ff
#define AER(n)	 (0x00020001u | (uint32_t)(n) << 20)
#define DSN(n)	 (0x00010003u | (uint32_t)(n) << 20)
#define WORDS	 960
#define LAST	 0xffcu
#define AT_LAST3 0xff4u

struct space {
	uint32_t words[WORDS];
	unsigned end; /* the offset that cannot be read any more */
	unsigned reads;
};

static int read_word(void *arg, unsigned offset, uint32_t *ret)
{
	struct space *space = arg;

	assert_true(offset >= 0x100 && offset % 4 == 0);
	space->reads++;
	if (offset >= space->end)
		return -EACCES;
	*ret = space->words[(offset - 0x100) / 4];
	return 0;
}

struct word {
	unsigned offset;
	uint32_t value;
};

static void test_lists(void **state unused)
{
	static const struct {
		const char *name;
		struct word words[8];
		unsigned end; /* 0: all can be read */
		int error;
	} cases[] = {
		{"first", {{0x100, DSN(0)}, {0x104, LOW}, {0x108, HIGH}}, 0, 0},
		{"behind others",
		 {{0x100, AER(0x400)},
		  {0x400, AER(0x150)},
		  {0x150, DSN(0x200)},
		  {0x154, LOW},
		  {0x158, HIGH}},
		 0,
		 0},
		{"at the end",
		 {{0x100, AER(AT_LAST3)}, {AT_LAST3, DSN(0)}, {0xff8, LOW}, {LAST, HIGH}},
		 0,
		 0},
		{"offset bits are reserved",
		 {{0x100, AER(0x403)}, {0x400, DSN(0)}, {0x404, LOW}, {0x408, HIGH}},
		 0,
		 0},
		{"no list", {{0x100, 0}}, 0, -ENODATA},
		{"nobody answers", {{0x100, 0xffffffff}}, 0, -ENODATA},
		{"nobody answers later",
		 {{0x100, AER(0x200)}, {0x200, 0xffffffff}},
		 0,
		 -ENODATA},
		{"none in the list", {{0x100, AER(0x200)}, {0x200, AER(0)}}, 0, -ENODATA},
		{"one that points to itself", {{0x100, AER(0x100)}}, 0, -ENODATA},
		{"a loop",
		 {{0x100, AER(0x200)}, {0x200, AER(0x104)}, {0x104, AER(0x200)}},
		 0,
		 -ENODATA},
		{"into the first 256 bytes", {{0x100, AER(0x40)}}, 0, -ENODATA},
		{"zeros for a number", {{0x100, DSN(0)}}, 0, -ENODATA},
		{"ones for a number",
		 {{0x100, DSN(0)}, {0x104, 0xffffffff}, {0x108, 0xffffffff}},
		 0,
		 -ENODATA},
		{"not to be read", {{0}}, 0x40, -EACCES},
		{"ends in the list", {{0x100, AER(0x200)}}, 0x200, -EACCES},
		{"ends before the number", {{0x100, DSN(0)}}, 0x104, -EACCES},
		{"ends in the number", {{0x100, DSN(0)}, {0x104, LOW}}, 0x108, -EACCES},
		{"cut at the end of the space",
		 {{0x100, AER(LAST)}, {LAST, DSN(0)}},
		 0,
		 -ENODATA},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct space space = {.end = cases[i].end ? cases[i].end : 0x1000};
		uint64_t serial = 1;

		for (size_t k = 0; k < 8 && cases[i].words[k].offset != 0; k++)
			space.words[(cases[i].words[k].offset - 0x100) / 4] =
				cases[i].words[k].value;
		check_int(cases[i].name, serial_find(read_word, &space, &serial),
			  cases[i].error);
		check_true(cases[i].name, serial == (cases[i].error ? 1 : SERIAL));
		check_true(cases[i].name, space.reads <= 500);
	}
}

/* Whatever is there, the walk ends, and reads words only. */
static void test_garbage(void **state unused)
{
	uint32_t random = 1;

	for (int i = 0; i < 2000; i++) {
		struct space space = {.end = 0x1000};
		uint64_t serial;

		for (size_t k = 0; k < WORDS; k++) {
			random = random * 1664525u + 1013904223u;
			/* Lists that go on for long: small IDs, offsets of all kinds. */
			space.words[k] = i % 2 ? random : (random & 0xfff00000u) | 1;
		}
		(void)!serial_find(read_word, &space, &serial);
		assert_true(space.reads <= 500);
	}
}

static void test_format(void **state unused)
{
	char buf[SERIAL_SIZE];

	assert_string_equal(serial_format(SERIAL, buf), "00-0a-35-ff-ff-00-12-34");
	assert_string_equal(serial_format(1, buf), "00-00-00-00-00-00-00-01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
