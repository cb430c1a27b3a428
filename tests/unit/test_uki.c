/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections of a unified kernel image, also of a damaged one. */
#include "test.h"

#include "uki.h"

#define HEADERS (64 + 24)

static char image[8192];

static void put(size_t at, uint32_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		image[at + i] = (char)(value >> 8 * i);
}

static void start(unsigned sections)
{
	memset(image, 0, sizeof(image));
	memcpy(image, "MZ", 2);
	put(0x3c, 64, 4);
	memcpy(image + 64, "PE\0\0", 4);
	put(64 + 6, sections, 2);
}

static void section(unsigned i, const char *name, uint32_t size, uint32_t room,
		    uint32_t offset)
{
	size_t at = HEADERS + 40 * i;

	strncpy(image + at, name, 8);
	put(at + 8, size, 4);
	put(at + 16, room, 4);
	put(at + 20, offset, 4);
}

static int parse(size_t n, struct uki *ret)
{
	const char *message = NULL;
	int r = uki_parse((struct text){image, n}, ret, &message);

	assert_true(r == 0 || (r == -EBADMSG && message));
	return r;
}

static void test_sections(void **state unused)
{
	struct uki uki;

	start(4);
	section(0, ".uname", 3, 16, 1024);
	section(1, ".initrd", 64, 32, 2048);
	section(2, ".initrd", 8, 8, 1024);
	section(3, ".cmdline", 2, 2, 1040);
	memcpy(image + 1024, "6.1", 3);
	assert_int_equal(parse(sizeof(image), &uki), 0);
	assert_true(text_is(uki.uname, "6.1"));
	assert_ptr_equal(uki.initrd.p, image + 2048); /* the first one */
	assert_int_equal(uki.initrd.n, 32);
	assert_int_equal(uki.cmdline.n, 2);
	assert_null(uki.linux_image.p);
	/* Every place where the file can end. */
	for (size_t n = 0; n < 2048 + 32; n++)
		assert_int_equal(parse(n, &uki), -EBADMSG);
	assert_int_equal(parse(2048 + 32, &uki), 0);
}

static void test_hostile(void **state unused)
{
	struct uki uki;

	start(1);
	section(0, ".initrd", UINT32_MAX, UINT32_MAX, 1024);
	assert_int_equal(parse(sizeof(image), &uki), -EBADMSG);
	section(0, ".initrd", 1, 1, UINT32_MAX);
	assert_int_equal(parse(sizeof(image), &uki), -EBADMSG);
	start(UKI_SECTIONS_MAX + 1);
	assert_int_equal(parse(sizeof(image), &uki), -EBADMSG);
	start(1);
	put(64 + 20, 0xffff, 2); /* the optional header */
	assert_int_equal(parse(sizeof(image), &uki), -EBADMSG);
	start(1);
	put(0x3c, UINT32_MAX, 4);
	assert_false(uki_is_program((struct text){image, sizeof(image)}));
	assert_int_equal(parse(sizeof(image), &uki), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
