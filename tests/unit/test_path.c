/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths: from links of sysfs, and what a pattern names. What people write: test_selector.c */
#include "test.h"

#include "bdf.h"

#define ROOT "../../../devices/pci0000:00/"

static void test_links(void **state unused)
{
	static const struct {
		const char *target;
		const char *path; /* NULL: it is none */
	} cases[] = {
		{ROOT "0000:00:02.0", "0000:00:02.0"},
		{ROOT "0000:00:01.0/0000:01:00.0", "0000:00:01.0/00.0"},
		{ROOT "0000:00:1d.4/0000:03:00.0/0000:04:08.0/0000:05:00.1",
		 "0000:00:1d.4/00.0/08.0/00.1"},
		/* A second root complex, other domains, a VMD controller, ARM, Hyper-V */
		{"../../../devices/pci0000:80/0000:80:03.0/0000:82:00.0",
		 "0000:80:03.0/00.0"},
		{"../../../devices/pci0002:00/0002:00:00.0/0002:01:00.0",
		 "0002:00:00.0/00.0"},
		{ROOT "0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0",
		 "0000:00:0e.0/06.0/00.0"},
		{"../../../devices/platform/40000000.pcie/pci0001:00/0001:00:00.0",
		 "0001:00:00.0"},
		{"../../../devices/LNXSYSTM:00/LNXSYBUS:00/ACPI0004:00/VMBUS:00/"
		 "0a5e0000-4a5e-4c6f-8b2e-000000000001/pci4a5e:00/4a5e:00:02.0",
		 "4a5e:00:02.0"},
		/* 16 hops are the most, one more is known as such */
		{ROOT "0000:00:01.0/0000:01:01.0/0000:01:02.0/0000:01:03.0/0000:01:04.0/"
		      "0000:01:05.0/0000:01:06.0/0000:01:07.0/0000:01:08.0/0000:01:09.0/"
		      "0000:01:0a.0/0000:01:0b.0/0000:01:0c.0/0000:01:0d.0/0000:01:0e.0/"
		      "0000:01:0f.0/0000:01:10.0/0000:01:11.0/0000:01:12.0",
		 "0000:00:01.0/01.0/02.0/03.0/04.0/05.0/06.0/07.0/08.0/09.0/0a.0/0b.0/"
		 "0c.0/0d.0/0e.0/0f.0/10.0"},
		{"", NULL},
		{"/", NULL},
		{"0000:00:02", NULL},
		{ROOT, NULL},
		{ROOT "0000:00:02.0/", NULL},
		{ROOT "0000:00:02.0/usb1", NULL},
		{ROOT "0000:00:02.8", NULL},
		{ROOT "00:02.0", NULL},
		{ROOT "0000:00:02.0 ", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = test_text(cases[i].target);
		struct pci_path path = {.hop_count = 99};
		char buf[PATH_SIZE];
		int r = path_parse_link(t, &path);

		check_int(cases[i].target, r, cases[i].path ? 0 : -EINVAL);
		if (r == 0)
			check_string(cases[i].target, path_format(&path, buf),
				     cases[i].path);
		else
			check_int(cases[i].target, path.hop_count, 99);
		test_text_free(t);
	}
}

static void test_patterns(void **state unused)
{
	static const struct {
		const char *pattern, *path;
		bool has;
	} cases[] = {
		{"00:01.0/00.0", "00:01.0/00.0", true},
		{"00:01.0/00.0", "00:01.0/00.1", false},
		{"00:01.0/00.0", "00:01.1/00.0", false},
		{"00:01.0/00.0", "1:00:01.0/00.0", false},
		{"00:01.0/00.0", "00:01.0", false},
		/* What is below it */
		{"00:01.0/00.0", "00:01.0/00.0/08.0/00.0", true},
		{"00:01.0/00.0", "00:01.0/00.1/08.0/00.0", false},
		{"00:01.0", "00:01.0", true},
		{"00:01.0", "00:01.0/00.1", true},
		{"00:01.0", "00:01.1/00.1", false},
		/* Any function of the last hop */
		{"00:01.0/00.*", "00:01.0/00.1", true},
		{"00:01.0/00.*", "00:01.0/00.7/00.0", true},
		{"00:01.0/00.*", "00:01.0/01.0", false},
		{"00:01.0/00.*", "00:01.1/00.0", false},
		{"00:01.0/08.0/00.*", "00:01.0/08.1/00.0", false},
		{"00:01.*", "00:01.3", true},
		{"00:01.*", "00:01.3/00.0", true},
		{"00:01.*", "00:02.0", false},
		{"00:01.*", "01:01.0", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pci_path pattern, path;
		struct parse_error error;
		char name[64];

		snprintf(name, sizeof(name), "%s %s", cases[i].pattern, cases[i].path);
		check_int(name, path_parse(text_of(cases[i].pattern), &pattern, &error),
			  0);
		check_int(name, path_parse(text_of(cases[i].path), &path, &error), 0);
		check_int(name, path_has(&pattern, &path), cases[i].has);
	}
}

/* One that is too deep to be named is still below what has a name. */
static void test_depth(void **state unused)
{
	struct pci_path pattern, path = {.hop_count = PATH_HOPS_MAX + 1};
	struct parse_error error;

	path.root.device = 1;
	assert_int_equal(path_parse(TEXT("00:01.0"), &pattern, &error), 0);
	assert_true(path_has(&pattern, &path));
	pattern.hop_count = PATH_HOPS_MAX;
	assert_true(path_has(&pattern, &path));
	pattern.hops[PATH_HOPS_MAX - 1] = 8;
	assert_false(path_has(&pattern, &path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
