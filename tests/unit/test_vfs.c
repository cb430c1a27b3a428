/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about the virtual functions of a card: pf=, and vfs=, which has udev make them. */
#include "identity.h"

#include "config.h"
#include "hotplug.h"

#define PF	 "0000:03:00.0"
#define FIRST	 "0000:03:00.4"
#define STRANGER "0000:04:00.4"

/* The NVMe controller has a virtual function with its own ID; another one is of another card. */
static void add_virtual(struct machine *m)
{
	struct pci_ids ids = {0x144d, 0xa824, 0x144d, 0xa801, 0x010802};

	fake_add_device(&m->w->bus, FIRST, ids, 40)->physfn = PF;
	fake_add_device(&m->w->bus, STRANGER, ids, 41)->physfn = "0000:04:00.0";
}

static void test_plan(void **state unused)
{
	static const struct {
		const char *rules, *want;
	} cases[] = {
		{"bind pf=03:00.0", FIRST " bind"},
		{"bind pf=03:00.0 vfs=1", FIRST " bind"},
		{"bind pf=03:00.0+144d:a824 vfs=1", FIRST " bind"},
		{"bind pf=03:00.0+144d:a825 vfs=1", ""},
		{"bind pf=03:00.1", ""},
		/* What is no virtual function is of no card. */
		{"bind pf=00:00.0", ""},
		{"bind pf=04:00.0+class=01", STRANGER " bind"},
		{"bind class=0108+pf=03:00.0\nkeep pf=03:00.0", FIRST " keep kept"},
		{"keep 01:00.0\nbind pf=03:00.0", CARD " keep kept; " FIRST " bind"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);

		add_virtual(m);
		make_plan(m, cases[i].rules);
		check_string(cases[i].rules, planned(m), cases[i].want);
		machine_free(m);
	}
}

/* At boot there is none yet: that is no failure. */
static void test_absent(void **state unused)
{
	struct machine *m = machine_new(true);

	make_plan(m, "bind pf=03:00.0 vfs=2");
	m->run.report.plan = &m->run.plan;
	check_string("none", planned(m), "");
	assert_false(report_has_rule_missing(&m->run.report, 0));
	machine_free(m);
}

/* The driver has made one, udev calls the binder. */
static void test_late(void **state unused)
{
	static const struct {
		const char *table, *driver;
	} cases[] = {
		{"bind pf=03:00.0 vfs=1\n", "vfio-pci"},
		{"bind pf=04:00.0 vfs=1\n", ""},
		{"bind pf=03:00.0+8086:10ca vfs=1\n", ""},
		{"bind pf=03:00.0\nkeep pf=03:00.0\n", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);
		struct fake_boot boot;

		add_virtual(m);
		fake_late(m->w, cases[i].table, FIRST, false, &boot);
		check_string(cases[i].table, fake_driver_of(device(m, FIRST)),
			     cases[i].driver);
		fake_boot_free(&boot);
		machine_free(m);
	}
}

#define WHEN(address) \
	"ACTION==\"add|bind\", SUBSYSTEM==\"pci\", KERNEL==\"" address \
	"\", DRIVER==\"?*\", ATTR{sriov_numvfs}==\"0\", "
#define MAKE(count) \
	"ATTR{sriov_drivers_autoprobe}=\"0\", ATTR{sriov_numvfs}=\"" count "\"\n"
#define VIRTUAL "TEST==\"physfn\", GOTO=\"earlybind_bind\"\n"

static void test_udev(void **state unused)
{
	static const struct {
		const char *rules, *head, *want;
	} cases[] = {
		{"bind pf=03:00.0 vfs=4", WHEN(PF) MAKE("4"), VIRTUAL},
		{"bind pf=03:00.0", "", VIRTUAL},
		{"bind pf=03:00.0+1b36:0010 vfs=65535",
		 WHEN(PF) "ATTR{vendor}==\"0x1b36\", ATTR{sriov_vf_device}==\"10\", " MAKE(
			 "65535"),
		 "ENV{MODALIAS}==\"pci:v00001B36d00000010sv*sd*bc??sc??i??\", " VIRTUAL},
		{"bind pf=03:00.0+8086:* vfs=1", WHEN(PF) MAKE("1"),
		 "ENV{MODALIAS}==\"pci:v00008086d*sv*sd*bc??sc??i??\", " VIRTUAL},
		{"bind pf=03:00.0,pf=10000:04:00.1 vfs=2",
		 WHEN(PF) MAKE("2") WHEN("10000:04:00.1") MAKE("2"), VIRTUAL VIRTUAL},
		{"bind pf=03:00.0 vfs=1 with=functions", WHEN(PF) MAKE("1"),
		 "GOTO=\"earlybind_bind\"\n"},
		{"keep pf=03:00.0", "", ""},
		{"[profile x]\nbind pf=03:00.0 vfs=4", "", ""},
	};
	static char buf[UDEV_RULES_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = test_arena((size_t)1024 * 1024);
		struct policy policy;
		struct text lines;
		const char *rest;
		int n;

		assert_int_equal(policy_init(&policy, &arena), 0);
		config_parse(&policy, SOURCE_TABLE, TEXT(""), text_of(cases[i].rules));
		n = udev_rules_write(&policy, NULL, buf, sizeof(buf));
		assert_true(n > 0);
		rest = strstr(buf, "# By earlybind");
		assert_non_null(rest);
		lines = (struct text){buf, (size_t)(rest - buf)};
		check_text(cases[i].rules, lines, cases[i].head);
		rest = strstr(rest, "DRIVER==\"?*\", GOTO=\"earlybind_end\"\n");
		assert_non_null(rest);
		lines = text_of(rest +
				strlen("DRIVER==\"?*\", GOTO=\"earlybind_end\"\n"));
		lines.n = (size_t)(strstr(lines.p, "GOTO=\"earlybind_end\"") - lines.p);
		check_text(cases[i].rules, lines, cases[i].want);
		for (int size = 0; size < n; size++)
			check_true("size", udev_rules_write(&policy, NULL, buf,
							    (size_t)size) != n);
		test_arena_free(&arena);
	}
}

static void test_grammar(void **state unused)
{
	static const struct {
		const char *rule, *want; /* NULL: fine */
	} cases[] = {
		{"bind pf=03:00.0 vfs=1", NULL},
		{"bind pf=0001:03:00.0 vfs=65535 optional", NULL},
		{"keep pf=03:00.0", NULL},
		{"bind 03:00.0 vfs=4", "vfs= needs pf=ADDRESS"},
		{"bind 8086:10c9 vfs=4", "vfs= needs pf=ADDRESS"},
		{"keep pf=03:00.0 vfs=4", "vfs= is for bind rules: 1 to 65535"},
		{"bind pf=03:00.0 vfs=0", "vfs= is for bind rules"},
		{"bind pf=03:00.0 vfs=65536", "vfs= is for bind rules"},
		{"bind pf=03:00.0 vfs=", "vfs= is for bind rules"},
		{"bind pf=03:00.0 vfs=all", "vfs= is for bind rules"},
		{"bind pf=03:00.* vfs=2", "function"},
		{"bind pf=03:00.0+pf=03:00.1", "two terms of the same kind"},
		{"bind pf=03:00.0+8086:10ca follow", "follow needs a place"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = test_arena((size_t)1024 * 1024);
		struct policy policy;

		assert_int_equal(policy_init(&policy, &arena), 0);
		config_parse(&policy, SOURCE_TABLE, TEXT(""), text_of(cases[i].rule));
		check_int(cases[i].rule, policy.problem_count, cases[i].want != NULL);
		if (cases[i].want)
			check_contains(cases[i].rule, policy.problems[0].message,
				       cases[i].want);
		else
			check_true(cases[i].rule,
				   policy.rule_count == 1 &&
					   (policy.rules[0].kind != RULE_BIND ||
					    policy.rules[0].optional));
		test_arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),	cmocka_unit_test(test_absent),
		cmocka_unit_test(test_late),	cmocka_unit_test(test_udev),
		cmocka_unit_test(test_grammar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
