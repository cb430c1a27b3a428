/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filter.h"
#include "rules.h"

#define ARENA_SIZE ((size_t)1024 * 1024)

static struct policy new_policy(struct arena *arena)
{
	struct policy policy;

	*arena = test_arena(ARENA_SIZE);
	assert_int_equal(policy_init(&policy, arena), 0);
	return policy;
}

static void test_command_lines(void **state unused)
{
	static const struct {
		const char *line, *rules, *problems;
	} cases[] = {
		{"", "", ""},
		{"quiet root=/dev/sda1", "", ""},
		{"vfio-pci.ids=10ee:5000,10ee:5001",
		 "bind 10ee:5000 @command line\nbind 10ee:5001 @command line\n", ""},
		{"vfio_pci.ids=10ee:5000", "bind 10ee:5000 @command line\n", ""},
		{"vfio-pci.ids=1:1 vfio_pci.ids=2:2", "bind 0002:0002 @command line\n",
		 ""},
		{"vfio-pci.ids=1:1 vfio-pci.ids=", "", ""},
		{"vfio-pci.ids=1:1 vfio-pci.ids", "bind 0001:0001 @command line\n",
		 "command line \"vfio-pci.ids\" e\n"},
		{"\"vfio-pci.ids=10ee:5000, 10ee:5001\"",
		 "bind 10ee:5000 @command line\nbind 10ee:5001 @command line\n", ""},
		{"vfio-pci.ids=10ee:5000;x", "bind 10ee:5000 @command line\n",
		 "command line \"10ee:5000;x\" w\n"},
		{"vfio-pci.ids=x,10ee:5000", "bind 10ee:5000 @command line\n",
		 "command line \"x\" e\n"},
		{"VFIO-PCI.ids=1:1 vfio-pci.id=1:1 vfio-pci.ids.x=1:1", "", ""},
		{"-- vfio-pci.ids=1:1", "", "command line \"--\" w\n"},
		{"vfio-pci.ids=1:1 -- vfio-pci.ids=2:2", "bind 0001:0001 @command line\n",
		 "command line \"--\" w\n"},
		{"rd.earlybind.bind=01:00.0 rd.earlybind.bind=10ee:*",
		 "bind 0000:01:00.0 @command line\nbind 10ee:* @command line\n", ""},
		{"rd.earlybind.bind=01:00.0,02:00.0;optional;on-failure=hold",
		 "bind 0000:01:00.0 optional hold @command line\n"
		 "bind 0000:02:00.0 optional hold @command line\n",
		 ""},
		{"rd.earlybind.bind=10ee:500,10ee:5001", "bind 10ee:5001 @command line\n",
		 "command line \"500\" e\n"},
		{"rd.earlybind.bind=10ee:5000;nonsense", "",
		 "command line \"nonsense\" e\n"},
		{"rd.earlybind.bind=", "", "command line \"\" e\n"},
		{"rd.earlybind.bind", "", "command line \"\" e\n"},
		{"rd.earlybind.nonsense=1 rd.earlybind.", "",
		 "command line \"rd.earlybind.nonsense\" e\ncommand line \"rd.earlybind.\" e\n"},
		{"rd.earlybind.log=loud rd.earlybind.table=2 rd.earlybind=maybe", "",
		 "command line \"rd.earlybind.log\" e\ncommand line \"rd.earlybind.table\" e\n"
		 "command line \"rd.earlybind\" e\n"},
		{"rd.earlybind.timeout=0 rd.earlybind.timeout=3601 rd.earlybind.timeout=x",
		 "",
		 "command line \"0\" e\ncommand line \"3601\" e\ncommand line \"x\" e\n"},
		{"-- rd.earlybind.bind=01:00.0", "", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text line = test_text(cases[i].line);
		struct arena arena;
		struct policy policy = new_policy(&arena);

		add_line(&policy, line);
		check_string(cases[i].line, describe_rules(&policy), cases[i].rules);
		check_string(cases[i].line, describe_problems(&policy),
			     cases[i].problems);
		check_int(cases[i].line, policy_has_bind_rule(&policy),
			  cases[i].rules[0] != 0);
		test_arena_free(&arena);
		test_text_free(line);
	}
}

static void test_options_of_the_run(void **state unused)
{
	struct arena arena;
	struct policy policy = new_policy(&arena);

	assert_int_equal(policy.timeout, TIMEOUT_DEFAULT);
	assert_int_equal(policy.recovery_timeout, RECOVERY_TIMEOUT_DEFAULT);
	assert_int_equal(policy.on_failure, ON_FAILURE_RESTORE);
	add_line(&policy, TEXT("rd.earlybind=0 rd.earlybind.table=no "
			       "rd.earlybind.dry-run rd.earlybind.log=debug "
			       "rd.earlybind.profile=compute rd.earlybind.timeout=3 "
			       "rd.earlybind.recovery_timeout=3600 "
			       "rd.earlybind.on_failure=hold "
			       "vfio.enable_unsafe_noiommu_mode=1 "
			       "vfio-pci.disable_denylist"));
	assert_string_equal(describe_problems(&policy), "");
	assert_true(policy.off);
	assert_true(policy.ignore_table);
	assert_true(policy.dry_run);
	assert_true(policy.debug);
	assert_true(policy.has_noiommu);
	assert_true(policy.has_denylist_off);
	check_text("profile", policy.profile, "compute");
	assert_int_equal(policy.timeout, 3);
	assert_int_equal(policy.recovery_timeout, 3600);
	assert_int_equal(policy.on_failure, ON_FAILURE_HOLD);
	test_arena_free(&arena);
}

static void test_last_switch_wins(void **state unused)
{
	struct arena arena;
	struct policy policy = new_policy(&arena);

	add_line(&policy, TEXT("rd.earlybind=0 rd.earlybind=1 "
			       "rd.earlybind.timeout=3 rd.earlybind.timeout=4"));
	assert_false(policy.off);
	assert_int_equal(policy.timeout, 4);
	test_arena_free(&arena);
}

/* The command line wins over a configuration, whichever is read first. */
static void test_command_line_wins(void **state unused)
{
	const struct origin config = {.source = SOURCE_CONFIG};

	for (int order = 0; order < 2; order++) {
		struct arena arena;
		struct policy policy = new_policy(&arena);

		if (order)
			add_line(&policy, TEXT("rd.earlybind.timeout=3"));
		assert_true(
			policy_set_option(&policy, TEXT("timeout"), TEXT("7"), &config));
		assert_true(policy_set_option(&policy, TEXT("recovery-timeout"),
					      TEXT("8"), &config));
		assert_true(policy_set_option(&policy, TEXT("on-failure"), TEXT("hold"),
					      &config));
		assert_false(policy_set_option(&policy, TEXT("x"), TEXT("7"), &config));
		if (!order)
			add_line(&policy, TEXT("rd.earlybind.timeout=3"));
		assert_int_equal(policy.timeout, 3);
		assert_int_equal(policy.recovery_timeout, 8);
		assert_int_equal(policy.on_failure, ON_FAILURE_HOLD);
		test_arena_free(&arena);
	}
}

static void test_module_ids(void **state unused)
{
	static const char other[] = "2:2";
	char ids[1024] = "1:1";
	struct arena arena;
	struct policy policy = new_policy(&arena);

	policy_add_module_ids(&policy, &(struct origin){.source = SOURCE_MODPROBE},
			      text_of(other));
	assert_string_equal(describe_rules(&policy), "bind 0002:0002 @modprobe.d\n");
	assert_true(policy.rules[0].is_module_id);
	check_text("ids", policy.module_ids, "2:2");
	test_arena_free(&arena);

	/* 1023 characters fit, 1024 do not. */
	memset(ids + 3, ',', sizeof(ids) - 3);
	for (size_t n = 1023; n <= 1024; n++) {
		policy = new_policy(&arena);
		policy_add_module_ids(&policy, &(struct origin){.source = SOURCE_CMDLINE},
				      (struct text){ids, n});
		assert_int_equal(policy.rule_count, 1);
		assert_int_equal(policy.problem_count, n == 1024);
		/* The command line's stand, even if they are read first. */
		policy_add_module_ids(&policy,
				      &(struct origin){.source = SOURCE_MODPROBE},
				      text_of(other));
		assert_int_equal(policy.rule_count, 1);
		test_arena_free(&arena);
	}
}

static void test_length_of_the_line(void **state unused)
{
	char line[2048];

	memset(line, 'x', sizeof(line));
	for (size_t n = 2046; n <= 2047; n++) {
		struct arena arena;
		struct policy policy = new_policy(&arena);

		add_line(&policy, (struct text){line, n});
		assert_int_equal(policy.problem_count, n == 2047);
		test_arena_free(&arena);
	}
}

static void test_limits(void **state unused)
{
	const struct origin origin = {.source = SOURCE_ARGUMENT};
	struct arena arena;
	struct policy policy = new_policy(&arena);

	for (int i = 0; i < RULES_MAX; i++)
		policy_add_rule(&policy, RULE_BIND, TEXT("10ee:5000"),
				(struct text){NULL, 0}, ' ', &origin,
				(struct text){"", 0});
	assert_int_equal(policy.rule_count, RULES_MAX);
	assert_int_equal(policy.problem_count, 0);
	policy_add_rule(&policy, RULE_BIND, TEXT("10ee:5000"), (struct text){NULL, 0},
			' ', &origin, (struct text){"", 0});
	assert_int_equal(policy.rule_count, RULES_MAX);
	assert_int_equal(policy.problem_count, 1);
	check_contains("limit", policy.problems[0].message, "1024 rules");
	for (int i = 0; i < PROBLEMS_MAX + 2; i++)
		policy_add_problem(&policy, &origin, TEXT("x"), "a problem", true);
	assert_int_equal(policy.problem_count, PROBLEMS_MAX);
	assert_int_equal(policy.problems_lost, 3);
	test_arena_free(&arena);
}

static void test_memory(void **state unused)
{
	struct arena arena = test_arena(1000);
	struct policy policy;

	assert_int_equal(policy_init(&policy, &arena), -ENOMEM);
	test_arena_free(&arena);
}

static void test_profiles(void **state unused)
{
	const struct origin origin = {.source = SOURCE_CONFIG};
	static const struct pci_device d = {
		.bdf = {0, 1, 0, 0},
		.ids = {0x10ee, 0x5000, 0, 0, 0x120000},
	};
	static const struct {
		const char *line;
		bool active;
	} cases[] = {{"", false},
		     {"rd.earlybind.profile=compute", true},
		     {"rd.earlybind.profile=comput", false},
		     {"rd.earlybind.profile=compute2", false},
		     {"rd.earlybind.profile=other", false},
		     {"rd.earlybind.profile=other rd.earlybind.profile=compute", true}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena;
		struct policy policy = new_policy(&arena);

		add_line(&policy, text_of(cases[i].line));
		policy_add_rule(&policy, RULE_BIND, TEXT("10ee:5000"),
				(struct text){NULL, 0}, ' ', &origin, TEXT("compute"));
		check_int(cases[i].line, policy_has_bind_rule(&policy), cases[i].active);
		check_int(cases[i].line, policy_filter(&policy, &d) != 0,
			  cases[i].active);
		test_arena_free(&arena);
	}
}

static void test_interest(void **state unused)
{
	static const struct pci_device d = {
		.bdf = {0, 1, 0, 0},
		.ids = {0x10ee, 0x5000, 0, 0, 0x120000},
	};
	static const struct {
		const char *selector;
		bool interest;
	} cases[] = {
		{"10ee:5000", true},
		{"10ee:5001", false},
		{"01:00.0", true},
		{"01:00.1", false},
		{"01:00.*", true},
		/* Another device there must be named as such. */
		{"01:00.0+10de:*", true},
		{"02:00.0+10ee:*", false},
		{"class=12", true},
		{"class=03", false},
	};
	const struct origin origin = {.source = SOURCE_ARGUMENT};

	for (int kind = RULE_BIND; kind <= RULE_KEEP; kind++)
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			struct arena arena;
			struct policy policy = new_policy(&arena);

			policy_add_rule(&policy, (enum rule_kind)kind,
					text_of(cases[i].selector),
					(struct text){NULL, 0}, ' ', &origin,
					(struct text){"", 0});
			check_int(cases[i].selector, policy_filter(&policy, &d) != 0,
				  cases[i].interest);
			check_int(cases[i].selector, policy_has_bind_rule(&policy),
				  kind == RULE_BIND);
			test_arena_free(&arena);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_lines),
		cmocka_unit_test(test_options_of_the_run),
		cmocka_unit_test(test_last_switch_wins),
		cmocka_unit_test(test_command_line_wins),
		cmocka_unit_test(test_module_ids),
		cmocka_unit_test(test_length_of_the_line),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_interest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
