/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules.h"

#include "config.h"

#define ARENA_SIZE ((size_t)1024 * 1024)

static struct policy parse(struct arena *arena, enum source source, const char *file,
			   struct text bytes)
{
	struct policy policy;

	*arena = test_arena(ARENA_SIZE);
	assert_int_equal(policy_init(&policy, arena), 0);
	config_parse(&policy, source, text_of(file), bytes);
	return policy;
}

/* Rules and problems of a file c. */
static const struct {
	const char *text, *rules, *problems;
} cases[] = {
	{"", "", ""},
	{"\n\n  \n\t\n", "", ""},
	{"# a comment\n  # another\n", "", ""},
	{"bind 10ee:5000\n", "bind 10ee:5000 @c:1:6\n", ""},
	{"bind 10ee:5000", "bind 10ee:5000 @c:1:6\n", ""},
	{"\n  bind\t10ee:5000,10ee:5001  optional  # both\r\n",
	 "bind 10ee:5000 optional @c:2:8\nbind 10ee:5001 optional @c:2:18\n", ""},
	{"keep 02:00.*\n", "keep 0000:02:00.* @c:1:6\n", ""},
	{"bind 10ee:5000#x\n", "", "c:1:11 \"5000#x\" e\n"},
	{"bind 10ee:5000 \r# x\n", "bind 10ee:5000 @c:1:6\n", ""},
	{"bind 10ee:5000 #x optional\n", "bind 10ee:5000 @c:1:6\n", ""},
	{"bind class=0302 on-failure=hold\n", "bind class=0302 hold @c:1:6\n", ""},
	{"bind class=0302 allow=console\n", "bind class=0302 allow @c:1:6\n", ""},

	{"critical 00:17.0+8086:*,path=00:1d.0 storage / on nvme0n1  # ours\n",
	 "critical 0000:00:17.0+8086:* allow @c:1:10\n"
	 "critical path=0000:00:1d.0 allow @c:1:25\n",
	 ""},
	{"critical 00:17.0 console\n", "critical 0000:00:17.0 allow @c:1:10\n", ""},
	{"[profile a]\ncritical 00:17.0 network\n",
	 "critical 0000:00:17.0 profile=a @c:2:10\n", ""},

	/* Mistakes: the line has no effect, the rest has */
	{"bind\nbind 1:1\nbind 10ee:*\n", "bind 10ee:* @c:3:6\n",
	 "c:1:1 \"bind\" e\nc:2:6 \"1:1\" e\n"},
	{"bind 10ee:*,,10de:*\n", "bind 10ee:* @c:1:6\nbind 10de:* @c:1:14\n",
	 "c:1:13 \"\" e\n"},
	{"bind 10ee:* , 10de:*\n", "", "c:1:13 \",\" e\n"},
	{"bind 10ee:* optionally\n", "", "c:1:13 \"optionally\" e\n"},
	{"Bind 10ee:*\nunbind 10ee:*\n", "", "c:1:1 \"Bind\" e\nc:2:1 \"unbind\" e\n"},
	{"critical\ncritical 00:17.0\ncritical 00:17.0 disk x\ncritical 1:1 storage\n",
	 "",
	 "c:1:1 \"critical\" e\nc:2:10 \"00:17.0\" e\nc:3:18 \"disk\" e\n"
	 "c:4:10 \"1:1\" e\n"},
	{"option critical=all\n", "", "c:1:17 \"all\" e\n"},
	{"option\n", "", "c:1:1 \"option\" e\n"},
	{"option timeout\noption x=1 timeout=5\n", "",
	 "c:1:8 \"timeout\" e\nc:2:8 \"x=1\" e\n"},
	{"option timeout=0\n", "", "c:1:16 \"0\" e\n"},
	{"option on-failure=shells\n", "", "c:1:19 \"shells\" e\n"},
	{"bind class=0302 on-failure=shell\n", "bind class=0302 shell @c:1:6\n", ""},

	/* Sections */
	{"[profile a]\nbind 10ee:*\n[profile b]\nkeep 10ee:*\n",
	 "bind 10ee:* profile=a @c:2:6\nkeep 10ee:* profile=b @c:4:6\n", ""},
	{"  [ profile  a ]  # x\nbind 10ee:*\n", "bind 10ee:* profile=a @c:2:6\n", ""},
	{"[profile a]\noption timeout=5\n", "", "c:2:1 \"option\" e\n"},
	{"[profile]\nbind 10ee:*\n", "", "c:1:1 \"[profile]\" e\n"},
	{"[]\nbind 10ee:*\n", "", "c:1:1 \"[]\" e\n"},
	{"[\nbind 10ee:*\n", "", "c:1:1 \"[\" e\n"},
	{"[profile a b]\nbind 10ee:*\n[profile c]\nbind 10de:*\n",
	 "bind 10de:* profile=c @c:4:6\n", "c:1:1 \"[profile a b]\" e\n"},
	{"[profile a\nbind 10ee:*\n", "", "c:1:1 \"[profile a\" e\n"},
	{"[section a]\n", "", "c:1:1 \"[section a]\" e\n"},
};

static void test_files(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = test_text(cases[i].text);
		struct arena arena;
		struct policy policy = parse(&arena, SOURCE_CONFIG, "c", t);

		check_string(cases[i].text, describe_rules(&policy), cases[i].rules);
		check_string(cases[i].text, describe_problems(&policy),
			     cases[i].problems);
		test_arena_free(&arena);
		test_text_free(t);
	}
}

static void test_options(void **state unused)
{
	struct arena arena;
	struct policy policy = parse(
		&arena, SOURCE_CONFIG, "c",
		TEXT("option timeout=7 recovery-timeout=8\noption on_failure=hold\n"));

	assert_string_equal(describe_problems(&policy), "");
	assert_int_equal(policy.timeout, 7);
	assert_int_equal(policy.recovery_timeout, 8);
	assert_int_equal(policy.on_failure, ON_FAILURE_HOLD);
	test_arena_free(&arena);
}

static void test_nul_ends_the_file(void **state unused)
{
	struct arena arena;
	struct policy policy = parse(&arena, SOURCE_CONFIG, "c",
				     TEXT("bind 10ee:*\nbind 10\0de:*\nbind 10de:*\n"));

	assert_string_equal(describe_rules(&policy), "bind 10ee:* @c:1:6\n");
	assert_int_equal(policy.problem_count, 1);
	check_contains("NUL", policy.problems[0].message, "NUL");
	test_arena_free(&arena);
}

static void test_marks(void **state unused)
{
	static const struct {
		const char *text, *rules;
	} tables[] = {
		{"#: a.conf:7\nbind 10ee:*\n", "bind 10ee:* @a.conf:7\n"},
		{"bind 10ee:*\n", "bind 10ee:* @table:1\n"},
		{"#: a.conf:7\nbind 10ee:*\nbind 10de:*\n",
		 "bind 10ee:* @a.conf:7\nbind 10de:* @table:3\n"},
		/* The section of one file does not reach into the next. */
		{"#: a:1\n[profile x]\n#: a:2\nbind 10ee:*\n#: b:1\nbind 10de:*\n",
		 "bind 10ee:* profile=x @a:2\nbind 10de:* @b:1\n"},
		{"#: a:1\n[nonsense]\n#: a:2\nbind 10ee:*\n#: b:1\nbind 10de:*\n",
		 "bind 10de:* @b:1\n"},
		/* Names with blanks and colons */
		{"#: my file:2.conf:7\nbind 10ee:*\n", "bind 10ee:* @my file:2.conf:7\n"},
		/* No mark, just comments */
		{"#: a.conf\nbind 10ee:*\n", "bind 10ee:* @table:2\n"},
		{"#: a.conf:x\nbind 10ee:*\n", "bind 10ee:* @table:2\n"},
		{"#: a.conf:99999999999\nbind 10ee:*\n", "bind 10ee:* @table:2\n"},
		{"#:\nbind 10ee:*\n", "bind 10ee:* @table:2\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct text t = test_text(tables[i].text);
		struct arena arena;
		struct policy policy = parse(&arena, SOURCE_TABLE, "", t);

		check_string(tables[i].text, describe_rules(&policy), tables[i].rules);
		test_arena_free(&arena);
		/* In a file of the user's, a mark is a comment. */
		policy = parse(&arena, SOURCE_CONFIG, "c", t);
		check_true(tables[i].text, !strstr(describe_rules(&policy), "@a"));
		test_arena_free(&arena);
		test_text_free(t);
	}
}

static void test_normal_form(void **state unused)
{
	static const char *const forms[][2] = {
		{"", ""},
		{"# nothing\n\n", ""},
		{"\n bind  10ee:*\toptional # x\r\n", "#: c:2\nbind 10ee:* optional\n"},
		{"[profile a]\nkeep 02:00.0",
		 "#: c:1\n[profile a]\n#: c:2\nkeep 02:00.0\n"},
		{"[ profile  a ]\n", "#: c:1\n[ profile a ]\n"},
	};
	char buf[256];

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct text t = test_text(forms[i][0]);
		int n = config_normalise(TEXT("c"), t, buf, sizeof(buf));

		check_int(forms[i][0], n, strlen(forms[i][1]));
		check_text(forms[i][0], ((struct text){buf, (size_t)n}), forms[i][1]);
		test_text_free(t);
	}
}

/* The table means what the file means, with the same origins. */
static void test_normal_form_means_the_same(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[1024];
		int n = config_normalise(TEXT("c"), text_of(cases[i].text), buf,
					 sizeof(buf));
		struct arena first, second;
		struct policy file =
			parse(&first, SOURCE_CONFIG, "c", text_of(cases[i].text));
		struct policy table;

		check_true(cases[i].text, n >= 0);
		table = parse(&second, SOURCE_TABLE, "", (struct text){buf, (size_t)n});
		check_int(cases[i].text, table.rule_count, file.rule_count);
		check_int(cases[i].text, table.problem_count, file.problem_count);
		for (size_t k = 0; k < file.rule_count; k++) {
			char a[SELECTOR_SIZE], b[SELECTOR_SIZE];

			check_string(cases[i].text,
				     selector_format(&table.rules[k].selector, b),
				     selector_format(&file.rules[k].selector, a));
			check_int(cases[i].text, table.rules[k].origin.line,
				  file.rules[k].origin.line);
			check_text(cases[i].text, table.rules[k].origin.file, "c");
		}
		test_arena_free(&first);
		test_arena_free(&second);
	}
}

static void test_normal_form_that_does_not_fit(void **state unused)
{
	static const char text[] = "bind 10ee:5000\nkeep 02:00.0 optional\n";
	char whole[128];
	int length = config_normalise(TEXT("c"), text_of(text), whole, sizeof(whole));

	assert_true(length > 0);
	for (size_t size = 0; size < sizeof(whole); size++) {
		char *buf = malloc(size + 1);
		int n;

		assert_non_null(buf);
		n = config_normalise(TEXT("c"), text_of(text), buf, size);
		if (n < 0)
			assert_int_equal(n, -ENOSPC);
		else
			assert_int_equal(n, length);
		/* A byte more than the text is enough. */
		assert_int_equal(n >= 0, size > (size_t)length);
		free(buf);
	}
}

/* What is written reads as the same rules, with their origins. */
static void test_write(void **state unused)
{
	static const char table[] =
		"#: /etc/a.conf:3\nbind 10ee:5000,01:00.*+10ee:* optional allow=console\n"
		"#: /etc/a.conf:4\nkeep class=0302\n"
		"option timeout=3 on-failure=hold\n"
		"[profile p]\nbind 1:0.0 on-failure=restore\n"
		"[profile q]\nbind 1:0.1\n"
		"#: " RECORDED ":1\ncritical 00:17.0 storage /, swap on sda\n"
		"#: " RECORDED ":2\ncritical 00:18.0 network\n"
		"#: " RECORDED ":1\nknown path=0:1.0/0.0 10ee:5000:10ee:000e\n"
		"#: /etc/b.conf:2\nbind pf=1:0.3 vfs=7\n"
		"#: /etc/b.conf:1\nbind 1:0.2 allow=network,storage with=group driver=auto\n"
		"option critical=none\n";
	struct arena arena = test_arena((size_t)2 * 1024 * 1024);
	char buf[CONFIG_WRITE_SIZE(16)], again[sizeof(buf)];
	struct policy policy;
	struct text text;
	int n;

	assert_int_equal(policy_init(&policy, &arena), 0);
	policy_add_cmdline(
		&policy,
		(struct cmdline_piece[]){
			{TEXT("/etc/cmdline"),
			 TEXT("rd.earlybind.profile=p vfio-pci.ids=0x10ee:5,"
			      "1:2:ffffffff:4:ff123456:00ffff00,12345:1,1:2:3:4:"
			      "ff000000:ff000000")},
			{.bytes = TEXT("rd.earlybind.bind=02:00.0")},
		},
		2);
	config_parse(&policy, SOURCE_TABLE, TEXT(""), text_of(table));
	n = config_write(&policy, buf, sizeof(buf));
	assert_true(n > 0);
	assert_string_equal(
		buf, "option timeout=3 recovery-timeout=90 on-failure=hold "
		     "critical=none\n"
		     "#: /etc/cmdline:0\nbind 10ee:0005\n"
		     "#: /etc/cmdline:0\nbind 0001:0002:*:0004:123456:ffff00\n"
		     "#: /etc/a.conf:3\nbind 10ee:5000 optional allow=console\n"
		     "#: /etc/a.conf:3\n"
		     "bind 01:00.*+10ee:* optional allow=console\n"
		     "#: /etc/a.conf:4\nkeep class=0302\n"
		     "#: :7\nbind 1:0.0 on-failure=restore\n"
		     "#: " RECORDED ":1\n"
		     "critical 00:17.0 storage /, swap on sda\n"
		     "#: " RECORDED ":2\ncritical 00:18.0 network\n"
		     "#: /etc/b.conf:2\nbind pf=1:0.3 optional vfs=7\n"
		     "#: /etc/b.conf:1\n"
		     "bind 1:0.2 driver=auto with=group allow=storage allow=network\n"
		     "#: " RECORDED ":1\n"
		     "known path=0000:00:01.0/00.0 10ee:5000:10ee:000e\n");
	text = (struct text){buf, (size_t)n};
	assert_int_equal(policy_init(&policy, &arena), 0);
	config_parse(&policy, SOURCE_TABLE, TEXT(""), text);
	assert_int_equal(policy.problem_count, 0);
	assert_int_equal(policy.rule_count, 10);
	assert_int_equal(policy.known_count, 1);
	assert_true(policy.ignore_recorded && rule_is_recorded(&policy.rules[6]));
	assert_int_equal(policy.timeout, 3);
	check_contains("origin", describe_rules(&policy), "@/etc/cmdline\n");
	assert_int_equal(config_write(&policy, again, sizeof(again)), n);
	assert_string_equal(again, buf);
	for (size_t size = 0; size <= (size_t)n; size++)
		check_int("size", config_write(&policy, again, size), -ENOSPC);
	test_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_nul_ends_the_file),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_normal_form),
		cmocka_unit_test(test_normal_form_means_the_same),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_normal_form_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
