/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The facts for IOMMU groups from configuration spaces, whole, cut and hostile. */
#include "test.h"

#include "group_facts.h"
#include "redact.h"

static unsigned char config[CONFIG_SPACE_SIZE];

static void put(size_t at, uint32_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		config[at + i] = (unsigned char)(value >> 8 * i);
}

/* A root port with power management, PCI Express, AER and ACS; a secret in between. */
static void make_port(void)
{
	memset(config, 0, sizeof(config));
	put(0, 0x19018086, 4);
	put(0x06, 0x0010, 2);
	put(0x0e, 0x81, 1);
	put(0x19, 0x05, 1);
	put(0x34, 0x40, 1);
	put(0x40, 0x8001, 2);
	put(0x44, 0x5ec7e7, 4);
	put(0x80, 0x01420010, 4);
	put(0xd8, 1u << 26, 4);
	put(0x100, 0x14010001, 4);
	put(0x140, 0x0001000d, 4);
	put(0x144, 0x001d, 2);
	put(0x146, 0x001c, 2);
	put(0x148, 0x0015, 2);
	put(0x200, 0x5ec7e7, 4);
}

static struct group_function parse(size_t n, bool want)
{
	struct group_function f = {.ids = {.vendor = 0x8086, .device = 0x1901}};
	char *copy = malloc(n > 0 ? n : 1); /* ASan guards its end */

	assert_non_null(copy);
	memcpy(copy, config, n);
	assert_int_equal(config_space_read((struct text){copy, n}, &f), want);
	assert_int_equal(f.is_unknown, !want);
	free(copy);
	return f;
}

static void check_port(const struct group_function *f)
{
	assert_true(f->is_bridge && f->is_multifunction && f->has_slot);
	assert_int_equal(f->secondary, 5);
	assert_int_equal(f->type, PCIE_ROOT_PORT);
	assert_true(f->has_acs && f->has_bus_check);
	assert_int_equal(f->acs_cap, 0x1d);
	assert_int_equal(f->acs_ctl, 0x1c);
	assert_int_equal(f->acs_ctl_high, 0x15);
}

static void test_port(void **state unused)
{
	struct group_function f;

	make_port();
	f = parse(sizeof(config), true);
	check_port(&f);
	/* For users who are not root. */
	f = parse(64, false);
	assert_true(f.is_bridge && f.is_multifunction);
	/* Where the host bridge maps no more, the kernel sees no ACS either. */
	f = parse(256, true);
	assert_int_equal(f.type, PCIE_ROOT_PORT);
	assert_false(f.has_acs);
	put(0x06, 0, 2);
	f = parse(64, true);
	assert_int_equal(f.type, PCIE_NONE);
}

static void test_unknown(void **state unused)
{
	make_port();
	for (size_t n = 0; n < 256; n++)
		parse(n, false);
	memset(config, 0xff, sizeof(config));
	parse(sizeof(config), false);
	memset(config, 0, sizeof(config));
	parse(sizeof(config), false);
}

/* Lists that are circles, lead out, or end in the middle. */
static void test_hostile(void **state unused)
{
	make_port();
	put(0x41, 0x40, 1);
	assert_int_equal(parse(sizeof(config), true).type, PCIE_NONE);
	put(0x41, 0xfc, 1);
	put(0xfc, 0x10, 1);
	parse(256, true);
	make_port();
	put(0x100, 0x10010001, 4);
	assert_false(parse(sizeof(config), true).has_acs);
	put(0x100, 0xfff10001, 4);
	put(0xffc, 0x0001000d, 4);
	assert_false(parse(sizeof(config), true).has_acs);
	make_port();
	for (size_t n = 256; n < 0x14c; n++)
		assert_false(parse(n, true).has_acs);
}

static void test_strip(void **state unused)
{
	static const char secret[] = {(char)0xe7, (char)0xc7, 0x5e};
	struct group_function f;
	size_t n;

	make_port();
	n = config_space_strip(config, sizeof(config));
	assert_int_equal(n, 0x14c);
	assert_null(memmem(config, n, secret, sizeof(secret)));
	f = parse(n, true);
	check_port(&f);
	make_port();
	put(0x80, 0, 4);
	assert_int_equal(config_space_strip(config, sizeof(config)), 256);
	assert_int_equal(config_space_strip(config, 200), 64);
	assert_int_equal(config_space_strip(config, 3), 3);
}

/* What a recording keeps of one: the same facts. */
static void test_recorded(void **state unused)
{
	struct arena arena = test_arena((size_t)1024 * 1024);
	struct group_function f;
	struct redact redact;

	make_port();
	redact_init(&redact, &arena, false);
	redact_config_space(&redact, config, sizeof(config));
	f = parse(sizeof(config), true);
	check_port(&f);
	test_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port),	 cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_hostile),	 cmocka_unit_test(test_strip),
		cmocka_unit_test(test_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
