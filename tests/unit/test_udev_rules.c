/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules for udev: what each of ours becomes, and what may never get in. */
#include "rules.h"

#include "config.h"
#include "hotplug.h"

#define HEAD \
	"# By earlybind, from the rules of this boot: binder(8), LATE DEVICES.\n" \
	"ACTION!=\"add\", GOTO=\"earlybind_end\"\n" \
	"SUBSYSTEM!=\"pci\", GOTO=\"earlybind_end\"\n" \
	"TEST!=\"/usr/lib/earlybind/binder\", GOTO=\"earlybind_end\"\n" \
	"ENV{SYNTH_UUID}==\"?*\", DRIVER==\"?*\", GOTO=\"earlybind_end\"\n"
#define FOOT \
	"GOTO=\"earlybind_end\"\n" \
	"LABEL=\"earlybind_bind\"\n" \
	"PROGRAM==\"/usr/lib/earlybind/binder --device $kernel\"\n" \
	"LABEL=\"earlybind_end\"\n"
#define BIND ", GOTO=\"earlybind_bind\"\n"

/* The text between head and foot; NULL if one of them is not as it should be. */
static char *middle_of(const struct policy *policy)
{
	static char buf[UDEV_RULES_SIZE];
	int n = udev_rules_write(policy, NULL, buf, sizeof(buf));

	assert_true(n > 0 && (size_t)n < sizeof(buf));
	assert_int_equal(n, strlen(buf));
	assert_memory_equal(buf, HEAD, strlen(HEAD));
	assert_string_equal(buf + n - strlen(FOOT), FOOT);
	buf[(size_t)n - strlen(FOOT)] = '\0';
	return buf + strlen(HEAD);
}

static void test_rules(void **state unused)
{
	static const struct {
		const char *rule, *want;
	} cases[] = {
		{"bind 10ee:5000",
		 "ENV{MODALIAS}==\"pci:v000010EEd00005000sv*sd*bc??sc??i??\"" BIND},
		{"bind 10ee:*:*:000e",
		 "ENV{MODALIAS}==\"pci:v000010EEd*sv*sd0000000Ebc??sc??i??\"" BIND},
		{"bind *:*:*:*:0302ff:ffff00",
		 "ENV{MODALIAS}==\"pci:v*d*sv*sd*bc03sc02i??\"" BIND},
		/* Bits of a digit cannot be said: more is asked than the rule names. */
		{"bind *:*:*:*:0c0330:ff8ff0",
		 "ENV{MODALIAS}==\"pci:v*d*sv*sd*bc0Csc?3i3?\"" BIND},
		{"bind class=12", "ENV{MODALIAS}==\"pci:v*d*sv*sd*bc12sc??i??\"" BIND},
		{"bind class=03?0", "ENV{MODALIAS}==\"pci:v*d*sv*sd*bc03sc?0i??\"" BIND},
		{"bind class=?C0c*", "ENV{MODALIAS}==\"pci:v*d*sv*sd*bc?Csc0Ci??\"" BIND},
		{"bind 01:00.0", "KERNEL==\"0000:01:00.0\"" BIND},
		{"bind 10000:01:00.*", "KERNEL==\"10000:01:00.*\"" BIND},
		{"bind 01:00.*+10ee:*+class=1200",
		 "KERNEL==\"0000:01:00.*\", "
		 "ENV{MODALIAS}==\"pci:v000010EEd*sv*sd*bc12sc00i??\"" BIND},
		{"bind 10ee:5000,10ee:5001 optional on-failure=hold",
		 "ENV{MODALIAS}==\"pci:v000010EEd00005000sv*sd*bc??sc??i??\"" BIND
		 "ENV{MODALIAS}==\"pci:v000010EEd00005001sv*sd*bc??sc??i??\"" BIND},
		{"bind path=00:01.0",
		 "DEVPATH==\"*/0000:00:01.0|*/0000:00:01.0/*\"" BIND},
		{"bind path=00:01.0/00.*+10ee:*",
		 "ENV{MODALIAS}==\"pci:v000010EEd*sv*sd*bc??sc??i??\", "
		 "DEVPATH==\"*/0000:00:01.0/*:00.?|*/0000:00:01.0/*:00.?/*\"" BIND},
		{"bind path=00:01.*/1.0", ""},
		{"bind path=00:1c.0/00.0/1f.7",
		 "DEVPATH==\"*/0000:00:1c.0/*:00.0/*:1f.7|*/0000:00:1c.0/*:00.0/*:1f.7/*\"" BIND},
		{"bind serial=00-0a-35-ff-ff-00-12-34", "GOTO=\"earlybind_bind\"\n"},
		{"bind serial=00-0a-35-ff-ff-00-12-34+10ee:5000",
		 "ENV{MODALIAS}==\"pci:v000010EEd00005000sv*sd*bc??sc??i??\"" BIND},
		/* What comes along may be anything; its place is known of an address only. */
		{"bind 01:00.0 with=functions", "KERNEL==\"0000:01:00.*\"" BIND},
		{"bind 01:00.0+10ee:*+path=00:01.0 with=functions",
		 "KERNEL==\"0000:01:00.*\"" BIND},
		{"bind 01:00.0 with=group", "GOTO=\"earlybind_bind\"\n"},
		{"bind 10ee:5000 with=functions", "GOTO=\"earlybind_bind\"\n"},
		{"bind path=00:01.0/00.0 with=functions", "GOTO=\"earlybind_bind\"\n"},
		{"bind accel=gaudi with=functions", "GOTO=\"earlybind_bind\"\n"},
		/* Of a group the devices of the table, each once, whatever their subsystems are. */
		{"bind accel=aws-f1 driver=vfio-pci",
		 "ENV{MODALIAS}==\"pci:v00001D0Fd00001042sv*|pci:v00001D0Fd0000F000sv*|"
		 "pci:v00001D0Fd0000F001sv*|pci:v00001D0Fd0000F010sv*|"
		 "pci:v00001D0Fd0000F011sv*\"" BIND},
		{"bind accel=nvidia-3d+path=00:01.0",
		 "ENV{MODALIAS}==\"pci:v000010DEd*bc03sc02i*\", "
		 "DEVPATH==\"*/0000:00:01.0|*/0000:00:01.0/*\"" BIND},
		{"bind accel=dfl+*:*:*:17d4",
		 "ENV{MODALIAS}==\"pci:v*d*sv*sd000017D4bc??sc??i??\", "
		 "ENV{MODALIAS}==\"pci:v00001C2Cd00001000sv*|pci:v00001C2Cd00001001sv*|"
		 "pci:v00008086d000009C4sv*|pci:v00008086d00000B2Bsv*|"
		 "pci:v00008086d00000B30sv*|pci:v00008086d0000BCBDsv*|"
		 "pci:v00008086d0000BCC0sv*|pci:v00008086d0000BCCEsv*\"" BIND},
		{"bind slot=4", "GOTO=\"earlybind_bind\"\n"},
		{"bind slot=4+10ee:5000",
		 "ENV{MODALIAS}==\"pci:v000010EEd00005000sv*sd*bc??sc??i??\"" BIND},
		/* It may come anywhere. */
		{"bind 01:00.0+10ee:5000 follow",
		 "ENV{MODALIAS}==\"pci:v000010EEd00005000sv*sd*bc??sc??i??\"" BIND},
		{"bind path=00:01.0+serial=00-0a-35-ff-ff-00-12-34 follow",
		 "GOTO=\"earlybind_bind\"\n"},
		/* The binder decides about these. */
		{"keep 10ee:5000", ""},
		{"[profile x]\nbind 10ee:5000", ""},
		{"bind 10ee:50g0", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = test_arena((size_t)1024 * 1024);
		struct policy policy;

		assert_int_equal(policy_init(&policy, &arena), 0);
		config_parse(&policy, SOURCE_TABLE, TEXT(""), text_of(cases[i].rule));
		check_string(cases[i].rule, middle_of(&policy), cases[i].want);
		test_arena_free(&arena);
	}
}

/* Rules of every source are in, also those in vfio-pci's own grammar. */
static void test_sources(void **state unused)
{
	struct arena arena = test_arena((size_t)1024 * 1024);
	struct policy policy;

	assert_int_equal(policy_init(&policy, &arena), 0);
	add_line(&policy, TEXT("rd.earlybind.bind=02:00.0;optional "
			       "rd.earlybind.profile=p"));
	policy_add_module_ids(&policy, &(struct origin){.source = SOURCE_MODPROBE},
			      TEXT("0x10EE:5000junk,12345:1,ffffffff:ffffffff"));
	config_parse(&policy, SOURCE_TABLE, TEXT(""), TEXT("[profile p]\nbind class=03"));
	assert_string_equal(
		middle_of(&policy),
		"KERNEL==\"0000:02:00.0\"" BIND
		"ENV{MODALIAS}==\"pci:v000010EEd00005000sv*sd*bc??sc??i??\"" BIND
		"ENV{MODALIAS}==\"pci:v00012345d00000001sv*sd*bc??sc??i??\"" BIND
		"ENV{MODALIAS}==\"pci:v*d*sv*sd*bc??sc??i??\"" BIND
		"ENV{MODALIAS}==\"pci:v*d*sv*sd*bc03sc??i??\"" BIND);
	test_arena_free(&arena);
}

/* Whatever stands in the sources, the text consists of what this module writes. */
static void test_nothing_is_injected(void **state unused)
{
	static const char *const hostile[] = {
		"bind 10ee:5000\", RUN+=\"/bin/sh",
		"bind 01:00.0\\\nbind $env{X}:%k",
		"bind 10ee:5000 optional\", PROGRAM=\"x",
		"[profile \"x]\nbind 10ee:5000",
		"#: x\", RUN+=\"y:1\nbind 10ee:5000",
	};

	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct arena arena = test_arena((size_t)1024 * 1024);
		struct policy policy;
		const char *middle;

		assert_int_equal(policy_init(&policy, &arena), 0);
		add_line(&policy, TEXT("vfio-pci.ids=10ee:5001\",RUN=\"x "
				       "rd.earlybind.bind=01:00.0\",RUN"));
		config_parse(&policy, SOURCE_TABLE, TEXT(""), text_of(hostile[i]));
		middle = middle_of(&policy);
		check_true(hostile[i], !strstr(middle, "RUN") && !strstr(middle, "$") &&
					       !strstr(middle, "PROGRAM"));
		test_arena_free(&arena);
	}
}

/* Of what the boot's run has judged the coldplug starts no process, whatever a rule may mean. */
static void test_functions_that_were_seen(void **state unused)
{
	static const struct {
		const char *rule;
		size_t functions, unread;
		bool has_no_iommu;
		unsigned lines; /* about what was seen */
	} cases[] = {
		{"bind serial=00-0a-35-00-00-00-00-01", 3, 0, false, 1},
		{"bind slot=4", 64, 0, false, 1},
		{"bind 10ee:5000 with=functions", 65, 0, false, 2},
		{"bind 01:00.0 with=group", 1024, 0, false, 16},
		{"bind slot=4", 1025, 0, false, 0},
		{"bind slot=4", 3, 1, false, 0},
		{"bind slot=4", 3, 0, true, 0},
		{"bind slot=4", 0, 0, false, 0},
		/* These tell udev what they are about. */
		{"bind 10ee:5000", 3, 0, false, 0},
		{"bind serial=00-0a-35-00-00-00-00-01+10ee:5000", 3, 0, false, 0},
		{"bind 01:00.0 with=functions", 3, 0, false, 0},
	};
	static struct bdf functions[1025];
	static char buf[UDEV_RULES_SIZE];

	for (unsigned i = 0; i < ARRAY_SIZE(functions); i++)
		functions[i] = (struct bdf){0, (uint8_t)(i / 256), (uint8_t)(i / 8 % 32),
					    (uint8_t)(i % 8)};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = test_arena((size_t)1024 * 1024);
		struct inventory seen = {
			.functions = functions,
			.function_count = cases[i].functions,
			.unread_count = cases[i].unread,
			.iommu.is_on = !cases[i].has_no_iommu,
		};
		const char *p = buf, *alone;
		struct policy policy;
		unsigned lines = 0, named = 0;

		assert_int_equal(policy_init(&policy, &arena), 0);
		config_parse(&policy, SOURCE_TABLE, TEXT(""), text_of(cases[i].rule));
		assert_true(udev_rules_write(&policy, &seen, buf, sizeof(buf)) > 0);
		assert_memory_equal(buf, HEAD, strlen(HEAD));
		p += strlen(HEAD);
		for (; strncmp(p, "ENV{SYNTH_UUID}==\"?*\", KERNEL==\"0", 33) == 0;
		     p = strchr(p, '\n') + 1, lines++)
			for (const char *q = p; *q != '\n'; q++)
				named += *q == '.';
		check_int(cases[i].rule, (int)lines, (int)cases[i].lines);
		check_int(cases[i].rule, (int)named,
			  lines > 0 ? (int)cases[i].functions : 0);
		/* Behind them all is as without. */
		alone = middle_of(&policy);
		check_true(cases[i].rule, strncmp(p, alone, strlen(alone)) == 0);
		check_string(cases[i].rule, p + strlen(alone), FOOT);
		/* Nor where not all rules are known. */
		policy.is_partial = true;
		assert_true(udev_rules_write(&policy, &seen, buf, sizeof(buf)) > 0);
		check_true(cases[i].rule, !strstr(buf, "KERNEL==\"0000:00:00.0"));
		test_arena_free(&arena);
	}
}

static void test_too_many_rules(void **state unused)
{
	struct arena arena = test_arena((size_t)2 * 1024 * 1024);
	char *buf = malloc(1024), line[64];
	struct policy policy;
	int n;

	assert_non_null(buf);
	assert_int_equal(policy_init(&policy, &arena), 0);
	for (int i = 0; i < RULES_MAX; i++) {
		const char *copy;

		snprintf(line, sizeof(line), "bind 01:00.*+10ee:%04x", (unsigned)i);
		copy = arena_copy(&arena, text_of(line));
		assert_non_null(copy);
		config_parse(&policy, SOURCE_TABLE, TEXT(""), text_of(copy));
	}
	/* They do not fit: one rule for every function. */
	assert_string_equal(middle_of(&policy), "GOTO=\"earlybind_bind\"\n");
	for (size_t size = 0; size < 1024; size++) {
		n = udev_rules_write(&policy, NULL, buf, size);
		if (n < 0)
			check_int("size", n, -E2BIG);
		else
			check_true("size",
				   (size_t)n < size && strlen(buf) == (size_t)n &&
					   strcmp(buf + n - strlen(FOOT), FOOT) == 0);
		check_int("fits", n > 0, size > strlen(HEAD FOOT) + 22);
	}
	free(buf);
	test_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_nothing_is_injected),
		cmocka_unit_test(test_functions_that_were_seen),
		cmocka_unit_test(test_too_many_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
