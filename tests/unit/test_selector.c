/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "accel.h"
#include "selector.h"

/* NULL as normal form: refused, with the error at this offset. */
static const struct {
	const char *text;
	const char *normal;
	size_t offset;
} cases[] = {
	/* IDs */
	{"10ee:5000", "10ee:5000", 0},
	{"10EE:5000", "10ee:5000", 0},
	{"10ee:*", "10ee:*", 0},
	{"*:*", "*:*", 0},
	{"10ee:5000:10ee:000e", "10ee:5000:10ee:000e", 0},
	{"10ee:5000:10ee", "10ee:5000:10ee:*", 0},
	{"10ee:5000:*:*", "10ee:5000", 0},
	{"10ee:5000:*:000e", "10ee:5000:*:000e", 0},
	{"*:*:*:*:120000:ffff00", "*:*:*:*:120000:ffff00", 0},
	{"10ee", NULL, 0},
	{"10ee:", NULL, 5},
	{":5000", NULL, 0},
	{"10ee:500", NULL, 5},
	{"10ee:50000", NULL, 5},
	{"0x10ee:5000", NULL, 0},
	{"10ee:5000:", NULL, 10},
	{"10ee:500g", NULL, 5},
	{"10ee:5000:1:2", NULL, 10},
	{"10ee:5000:*:*:120000", NULL, 20},
	{"10ee:5000:*:*:1200:ffff00", NULL, 14},
	{"10ee:5000:*:*:120000:*", NULL, 21},
	{"10ee:5000:*:*:*:*", NULL, 14},
	{"10ee:5000:*:*:12????:ff0000", NULL, 14},
	{"10ee:5000:*:*:120000:ffff0", NULL, 21},
	{"10ee:5000:*:*:00120000:ffffff", NULL, 14},
	{"10ee:5000:*:*:120000:00ffff00", NULL, 21},
	{"10ee:5000:*:*:120000:000000", "10ee:5000", 0},
	{"10ee:5000:*:*:123456:00ff00", "10ee:5000:*:*:123456:00ff00", 0},
	{"10ee:5000:10ee:000e:120000:ffffff", "10ee:5000:10ee:000e:120000:ffffff", 0},
	{"*:*:10ee:*", "*:*:10ee:*", 0},
	{"*:*:*:000e", "*:*:*:000e", 0},
	{"*:5000", "*:5000", 0},
	{"**:5000", NULL, 0},
	{"10e*:5000", NULL, 0},
	{"10e?:5000", NULL, 0},
	{"ffff:ffff", "ffff:ffff", 0},
	{"ffffffff:5000", NULL, 0},
	{"10ee:5000:*:*:120000:ffff00:1", NULL, 28},
	{"10ee:5000 ", NULL, 5},

	/* Addresses */
	{"01:00.0", "0000:01:00.0", 0},
	{"1:0.*", "0000:01:00.*", 0},
	{"10000:01:00.0", "10000:01:00.0", 0},
	{"01:00.8", NULL, 6},
	{"01:00.f", NULL, 6},
	{"01:20.0", NULL, 3},

	/* Classes */
	{"class=03", "class=03", 0},
	{"class=0302", "class=0302", 0},
	{"class=030200", "class=030200", 0},
	{"class=03*", "class=03", 0},
	{"class=0C", "class=0c", 0},
	{"class=", NULL, 6},
	{"class=*", NULL, 6},
	{"class=3", NULL, 6},
	{"class=030", NULL, 6},
	{"class=03020000", NULL, 6},
	{"class=03**", NULL, 6},
	{"class=03?0", "class=03?0", 0},
	{"class=03??", "class=03", 0},
	{"class=0C03??", "class=0c03", 0},
	{"class=0c03?0", "class=0c03?0", 0},
	{"class=??03", "class=??03", 0},
	{"class=?3", "class=?3", 0},
	{"class=????30", "class=????30", 0},
	{"class=0c?*", "class=0c", 0},
	{"class=0c0*", "class=0c0?", 0},
	{"class=0*", "class=0?", 0},
	{"class=0?????", "class=0?", 0},
	{"class=12000*", "class=12000?", 0},
	{"class=120000*", "class=120000", 0},
	{"class=1200000*", NULL, 6},
	{"class=?", NULL, 6},
	{"class=??", NULL, 6},
	{"class=??????", NULL, 6},
	{"class=?*", NULL, 6},
	{"class=0?0", NULL, 6},
	{"class=*03", NULL, 6},
	{"class=0x03", NULL, 6},
	{"class=03 ", NULL, 6},

	/* Paths */
	{"path=00:01.0/00.0", "path=0000:00:01.0/00.0", 0},
	{"path=0:1.0/0.0", "path=0000:00:01.0/00.0", 0},
	{"path=00:01.0", "path=0000:00:01.0", 0},
	{"path=00:01.0/00.*", "path=0000:00:01.0/00.*", 0},
	{"path=00:1F.*", "path=0000:00:1f.*", 0},
	{"path=10000:e0:06.0/00.0", "path=10000:e0:06.0/00.0", 0},
	{"path=00:1c.4/00.0/08.0/1f.7", "path=0000:00:1c.4/00.0/08.0/1f.7", 0},
	{"path=", NULL, 5},
	{"path=/", NULL, 5},
	{"path=00:01.0/", NULL, 13},
	{"path=/00.0", NULL, 5},
	{"path=00:01.0//00.0", NULL, 13},
	{"path=00:01.0/01:00.0", NULL, 13},
	{"path=00:01.0/0000:01:00.0", NULL, 13},
	{"path=00.0", NULL, 5},
	{"path=00:01.*/00.0", NULL, 11},
	{"path=00:01.0/00.8", NULL, 16},
	{"path=00:01.0/20.0", NULL, 13},
	{"path=00:01.0/00", NULL, 13},
	{"path=00:01.0/000.0", NULL, 13},
	{"path=00:01.0/00.00", NULL, 16},
	{"path=00:01.0/00.0/*", NULL, 18},
	{"path=*", NULL, 5},
	{"path=00:01.0 /00.0", NULL, 11},
	{"path=pci0000:00/00:01.0", NULL, 5},
	{"path=00:01.0/1.0/2.0/3.0/4.0/5.0/6.0/7.0/8.0/9.0/a.0/b.0/c.0/d.0/e.0/f.0/10.*",
	 "path=0000:00:01.0/01.0/02.0/03.0/04.0/05.0/06.0/07.0/08.0/09.0/0a.0/0b.0/0c.0/"
	 "0d.0/0e.0/0f.0/10.*",
	 0},
	{"path=00:01.0/1.0/2.0/3.0/4.0/5.0/6.0/7.0/8.0/9.0/a.0/b.0/c.0/d.0/e.0/f.0/0.0/1.0",
	 NULL, 5},

	/* Serial numbers */
	{"serial=00-0a-35-ff-ff-00-12-34", "serial=00-0a-35-ff-ff-00-12-34", 0},
	{"serial=00-0A-35-FF-FF-00-12-34", "serial=00-0a-35-ff-ff-00-12-34", 0},
	{"serial=", NULL, 7},
	{"serial=00-0a", NULL, 12},
	{"serial=00-0a-35-ff-ff-00-12", NULL, 27},
	{"serial=00-0a-35-ff-ff-00-12-", NULL, 28},
	{"serial=00-0a-35-ff-ff-00-12-34-56", NULL, 31},
	{"serial=000a35ffff001234", NULL, 7},
	{"serial=00:0a:35:ff:ff:00:12:34", NULL, 7},
	{"serial=00-0a-35-fg-ff-00-12-34", NULL, 16},
	{"serial=0-0a-35-ff-ff-00-12-34", NULL, 7},
	{"serial=00-0a-35-ff-ff-00-12-3", NULL, 28},
	{"serial=00-0a-35-ff-ff-00-12-345", NULL, 28},
	{"serial=00-00-00-00-00-00-00-00", NULL, 7},
	{"serial=ff-ff-ff-ff-ff-ff-ff-ff", NULL, 7},
	{"serial=*", NULL, 7},

	/* Groups of accelerators */
	{"accel=alveo-user", "accel=alveo-user", 0},
	{"accel=gaudi", "accel=gaudi", 0},
	{"accel=", NULL, 6},
	{"accel=alveo-usr", NULL, 6},
	{"accel=Alveo", NULL, 6},
	{"accel=*", NULL, 6},
	{"accel=alveo-user+path=0:1.0", "path=0000:00:01.0+accel=alveo-user", 0},
	{"class=12+accel=gaudi+10ee:*", "10ee:*+accel=gaudi+class=12", 0},
	{"accel=gaudi+accel=goya", NULL, 12},
	{"10ee:*+accel=xilinx", NULL, 13},

	/* Slots */
	{"slot=4", "slot=4", 0},
	{"slot=4-1", "slot=4-1", 0},
	{"slot=U78D2.001=A:P1#C1", "slot=U78D2.001=A:P1#C1", 0},
	{"01:00.0+slot=PCIE3", "0000:01:00.0+slot=PCIE3", 0},
	{"slot=4+10ee:5000+path=0:1.0", "path=0000:00:01.0+slot=4+10ee:5000", 0},
	{"pf=3:0.1", "pf=0000:03:00.1", 0},
	{"pf=10000:1:0.0+8086:10CA", "pf=10000:01:00.0+8086:10ca", 0},
	{"pf=03:00.0+path=0:1.0", "path=0000:00:01.0+pf=0000:03:00.0", 0},
	{"pf=", NULL, 3},
	{"pf=03:00.*", NULL, 9},
	{"8086:10ca+pf=03:00", NULL, 16},
	{"slot=", NULL, 5},
	{"slot=a/b", NULL, 6},
	{"slot=a b", NULL, 6},
	{"slot=a;b", NULL, 6},
	{"slot=\"4\"", NULL, 5},
	{"slot=\xc3\xa4", NULL, 5},
	{"slot=4+slot=5", NULL, 7},
	{"slot=123456789012345678901234567890123456789012345678901234567890123",
	 "slot=123456789012345678901234567890123456789012345678901234567890123", 0},
	{"slot=1234567890123456789012345678901234567890123456789012345678901234", NULL,
	 68},

	/* Several terms */
	{"class=03+10de:2489+serial=00-00-00-00-00-00-00-01+path=0:1.0/0.0+01:00.0",
	 "0000:01:00.0+path=0000:00:01.0/00.0+serial=00-00-00-00-00-00-00-01+10de:2489+"
	 "class=03",
	 0},
	{"path=00:01.0+path=00:01.1", NULL, 13},
	{"serial=00-00-00-00-00-00-00-01+serial=00-00-00-00-00-00-00-02", NULL, 31},
	{"10de:*+path=00:01.x", NULL, 18},
	{"01:00.*+10ee:*", "0000:01:00.*+10ee:*", 0},
	{"10ee:*+01:00.0", "0000:01:00.0+10ee:*", 0},
	{"class=12+10ee:*+01:00.0", "0000:01:00.0+10ee:*+class=12", 0},
	{"10ee:*+10ee:5000", NULL, 7},
	{"01:00.0+02:00.0", NULL, 8},
	{"class=03+class=04", NULL, 9},
	{"10ee:*+", NULL, 7},
	{"+10ee:*", NULL, 0},
	{"10ee:*+class=1", NULL, 13},
	{"10ee:*+01:00.9", NULL, 13},

	/* Of later versions, or of nowhere */
	{"", NULL, 0},
	{"driver=nvidia", NULL, 0},
	{"garbage", NULL, 0},
};

static void test_parse_and_format(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = cases[i].text;
		struct text t = test_text(name);
		struct parse_error error = {99, NULL};
		struct selector s, again;
		char buf[SELECTOR_SIZE];
		int r = selector_parse(t, &s, &error);

		check_int(name, r, cases[i].normal ? 0 : -EINVAL);
		if (r < 0) {
			check_int(name, error.offset, cases[i].offset);
			check_true(name, error.message && error.message[0]);
		} else {
			check_string(name, selector_format(&s, buf), cases[i].normal);
			/* The normal form means the same and is its own normal form. */
			check_int(name, selector_parse(text_of(buf), &again, &error), 0);
			check_string(name, selector_format(&again, buf), cases[i].normal);
			check_int(name, s.terms, again.terms);
		}
		test_text_free(t);
	}
}

static void test_longest_form_fits(void **state unused)
{
	struct selector s = {
		.terms = TERM_ID | TERM_ADDRESS | TERM_CLASS | TERM_PATH | TERM_SERIAL |
			 TERM_ACCEL | TERM_SLOT | TERM_PF,
		.pf = {0xffffffff, 0xff, 0x1f, 7},
		.slot = TEXT(
			"123456789012345678901234567890123456789012345678901234567890"
			"123"),
		.path = {.root = {0xffffffff, 0xff, 0x1f, 7},
			 .hop_count = PATH_HOPS_MAX,
			 .hops = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		.serial = UINT64_MAX,
		.id = {0xfffffffe, 0xfffffffe, 0xfffffffe, 0xfffffffe, 0xffffffff,
		       0xffffffff},
		.address = {0xffffffff, 0xff, 0x1f, 7},
		.class = 0xffffff,
		.class_mask = 0xffffff,
	};
	char buf[SELECTOR_SIZE];

	/* The longest name of a group. */
	for (unsigned i = 0; accel_group_name(i)[0]; i++)
		assert_true(strlen(accel_group_name(i)) <= strlen("nvidia-datacenter"));
	assert_int_equal(accel_group_parse(TEXT("nvidia-datacenter"), &s.accel), 0);
	assert_string_equal(
		selector_format(&s, buf),
		"ffffffff:ff:1f.7+path=ffffffff:ff:1f.7/1f.7/1f.7/1f.7/1f.7/1f.7/1f.7/"
		"1f.7/1f.7/1f.7/1f.7/1f.7/1f.7/1f.7/1f.7/1f.7/1f.7+"
		"slot=123456789012345678901234567890123456789012345678901234567890123+"
		"pf=ffffffff:ff:1f.7+"
		"serial=ff-ff-ff-ff-ff-ff-ff-ff+fffffffe:fffffffe:fffffffe:fffffffe:ffffffff:"
		"ffffffff+accel=nvidia-datacenter+class=ffffff");
}

static void test_match(void **state unused)
{
	/* 0000:01:00.1, a user function of an Alveo card */
	static const struct pci_device d = {
		.bdf = {0, 1, 0, 1},
		.ids = {0x10ee, 0x5001, 0x10ee, 0x000e, 0x120000},
	};
	static const struct {
		const char *text;
		bool matches;
		bool is_address;
	} matches[] = {
		{"10ee:5001", true, true},
		{"10ee:5000", false, true},
		{"10ee:*", true, true},
		{"*:5001", true, true},
		{"10de:*", false, true},
		{"10ee:5001:10ee:000e", true, true},
		{"10ee:5001:10ee:000f", false, true},
		{"10ee:5001:1043:*", false, true},
		{"10ee:5001:10ef:*", false, true},
		{"10ee:5001:*:000d", false, true},
		{"10ef:5001", false, true},
		{"10ed:5001", false, true},
		{"10ee:5002", false, true},
		{"*:*:*:*:120000:ffff00", true, true},
		{"*:*:*:*:120001:ffff00", true, true},
		{"*:*:*:*:120001:ffffff", false, true},
		{"*:*:*:*:030000:000000", true, true},
		{"01:00.1", true, true},
		{"01:00.0", false, false},
		{"01:00.*", true, true},
		{"02:00.*", false, false},
		{"1:01:00.1", false, false},
		{"01:01.*", false, false},
		{"01:00.1+10de:*", false, true},
		{"01:00.1+10ee:*", true, true},
		{"accel=alveo-user", true, true},
		{"accel=alveo", true, true},
		{"accel=alveo-mgmt", false, true},
		{"accel=xrt", false, true},
		{"accel=alveo-user+01:00.0", false, false},
		{"accel=alveo-user+10ee:5001", true, true},
		{"accel=alveo-user+10ee:5005", false, true},
		{"class=12", true, true},
		{"class=1200", true, true},
		{"class=120000", true, true},
		{"class=120001", false, true},
		{"class=03", false, true},
		{"class=1?00", true, true},
		{"class=1?0?00", true, true},
		{"class=?2", true, true},
		{"class=?3", false, true},
		{"class=12???1", false, true},
		{"class=12???0", true, true},
		{"class=120*", true, true},
		{"class=121*", false, true},
		{"*:*:*:*:ff20ff:00f000", false, true},
		{"*:*:*:*:ff00ff:00f000", true, true},
		{"*:*:*:*:100000:100000", true, true},
		{"*:*:*:*:080000:080000", false, true},
		{"*:*:*:000e", true, true},
		{"*:*:10ee:000f", false, true},
		{"ffff:ffff", false, true},
		{"01:00.1+class=03", false, true},
		{"01:00.1+10ee:*+class=12", true, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		struct parse_error error;
		struct selector s;

		check_int(matches[i].text,
			  selector_parse(text_of(matches[i].text), &s, &error), 0);
		check_int(matches[i].text, selector_has_match(&s, &d),
			  matches[i].matches);
		check_int(matches[i].text, selector_is_address_of(&s, d.bdf),
			  matches[i].is_address);
	}
}

/* A selector without terms must not stand for every device. */
/* A port on the way has a path too; what a rule names is at its end. */
static void test_path_is_of_no_bridge(void **state unused)
{
	struct pci_device d = {.has_path = true, .ids = {.class = 0x060400}};
	struct parse_error error;
	struct selector s;

	assert_int_equal(selector_parse(TEXT("path=0000:00:01.0/00.0"), &s, &error), 0);
	d.path = s.path;
	assert_false(selector_is_path_of(&s, &d));
	d.ids.class = 0x120000;
	assert_true(selector_is_path_of(&s, &d));
}

static void test_empty_matches_nothing(void **state unused)
{
	static const struct selector empty;
	static const struct pci_device none;

	assert_false(selector_has_match(&empty, &none));
	assert_int_equal(selector_open_facts(&empty, &none), 0);
}

/* drivers/pci/pci.h: pci_match_one_device() compares 32 bits with 16. */
static void test_wide_fields_match_nothing(void **state unused)
{
	static const struct pci_ids ids = {0x10ee, 0x5000, 0, 0, 0};
	static const struct pci_match wide = {0x110ee, PCI_ANY, PCI_ANY, PCI_ANY, 0, 0};
	static const struct pci_match ffff = {0xffff, PCI_ANY, PCI_ANY, PCI_ANY, 0, 0};

	assert_false(pci_match_has(&wide, &ids));
	assert_false(pci_match_has(&ffff, &ids));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_format),
		cmocka_unit_test(test_longest_form_fits),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_path_is_of_no_bridge),
		cmocka_unit_test(test_empty_matches_nothing),
		cmocka_unit_test(test_wide_fields_match_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
