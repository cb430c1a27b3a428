/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "policy.h"
#include "rule_request.h"

static void test_options(void **state unused)
{
	static const struct {
		const char *text;
		char separator;
		const char *wrong; /* the word; NULL: fine */
		bool optional;
		enum on_failure on_failure;
		unsigned allow;
	} cases[] = {
		{"", ' ', NULL, false, ON_FAILURE_DEFAULT, 0},
		{"  ", ' ', NULL, false, ON_FAILURE_DEFAULT, 0},
		{"optional", ' ', NULL, true, ON_FAILURE_DEFAULT, 0},
		{"on-failure=hold", ' ', NULL, false, ON_FAILURE_HOLD, 0},
		{"on_failure=restore", ' ', NULL, false, ON_FAILURE_RESTORE, 0},
		{"allow=console\toptional", ' ', NULL, true, ON_FAILURE_DEFAULT,
		 ALLOW_CONSOLE},
		{"driver=vfio-pci", ' ', NULL, false, ON_FAILURE_DEFAULT, 0},
		{"optional;on-failure=hold", ';', NULL, true, ON_FAILURE_HOLD, 0},
		{"on-failure=hold on-failure=restore", ' ', NULL, false,
		 ON_FAILURE_RESTORE, 0},
		{"optional optionally", ' ', "optionally", true, ON_FAILURE_DEFAULT, 0},
		{"optional=1", ' ', "optional=1", false, ON_FAILURE_DEFAULT, 0},
		{"on-failure=shell", ' ', NULL, false, ON_FAILURE_SHELL, 0},
		{"on-failure=", ' ', "on-failure=", false, ON_FAILURE_DEFAULT, 0},
		{"on-failure", ' ', "on-failure", false, ON_FAILURE_DEFAULT, 0},
		{"on-failure=Hold", ' ', "on-failure=Hold", false, ON_FAILURE_DEFAULT, 0},
		{"allow=network", ' ', NULL, false, ON_FAILURE_DEFAULT, ALLOW_NETWORK},
		{"allow=storage,console optional", ' ', NULL, true, ON_FAILURE_DEFAULT,
		 ALLOW_STORAGE | ALLOW_CONSOLE},
		{"allow=storage;allow=network", ';', NULL, false, ON_FAILURE_DEFAULT,
		 ALLOW_STORAGE | ALLOW_NETWORK},
		{"allow=", ' ', "allow=", false, ON_FAILURE_DEFAULT, 0},
		{"allow=console,", ' ', "allow=console,", false, ON_FAILURE_DEFAULT,
		 ALLOW_CONSOLE},
		{"allow=disk", ' ', "allow=disk", false, ON_FAILURE_DEFAULT, 0},
		{"driver=nvidia", ' ', NULL, false, ON_FAILURE_DEFAULT, 0},
		{"driver=auto", ' ', NULL, false, ON_FAILURE_DEFAULT, 0},
		{"driver=", ' ', "driver=", false, ON_FAILURE_DEFAULT, 0},
		{"driver=a/b", ' ', "driver=a/b", false, ON_FAILURE_DEFAULT, 0},
		{"with=group", ' ', NULL, false, ON_FAILURE_DEFAULT, 0},
		{"with=functions;allow=console", ';', NULL, false, ON_FAILURE_DEFAULT,
		 ALLOW_CONSOLE},
		{"with=", ' ', "with=", false, ON_FAILURE_DEFAULT, 0},
		{"with=card", ' ', "with=card", false, ON_FAILURE_DEFAULT, 0},
		{"with", ' ', "with", false, ON_FAILURE_DEFAULT, 0},
		{"=", ' ', "=", false, ON_FAILURE_DEFAULT, 0},
		{"optional; on-failure=hold", ';', " on-failure=hold", true,
		 ON_FAILURE_DEFAULT, 0},
		{"optional;", ';', "", true, ON_FAILURE_DEFAULT, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = cases[i].text, *message = NULL;
		struct text t = test_text(name), word = {NULL, 0};
		struct rule rule = {0};
		int r = rule_parse_options(t, cases[i].separator, &rule, &word, &message);

		check_int(name, r, cases[i].wrong ? -EINVAL : 0);
		if (r < 0) {
			check_text(name, word, cases[i].wrong);
			check_true(name, message && message[0]);
		}
		check_int(name, rule.optional, cases[i].optional);
		check_int(name, rule.on_failure, cases[i].on_failure);
		check_int(name, rule.allow, cases[i].allow);
		test_text_free(t);
	}
}

static void test_with(void **state unused)
{
	static const struct {
		enum rule_kind kind;
		const char *text, *message; /* NULL: fine */
		enum with with;
	} cases[] = {
		{RULE_BIND, "optional", NULL, WITH_NOTHING},
		{RULE_BIND, "with=functions", NULL, WITH_FUNCTIONS},
		{RULE_BIND, "with=functions with=group", NULL, WITH_GROUP},
		{RULE_BIND, "with=all", "with= is functions or group", WITH_NOTHING},
		{RULE_KEEP, "with=group",
		 "with= is an option of bind rules: keep names every function",
		 WITH_NOTHING},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rule rule = {.kind = cases[i].kind};
		const char *message = NULL;
		struct text word;
		int r = rule_parse_options(text_of(cases[i].text), ' ', &rule, &word,
					   &message);

		check_int(cases[i].text, r, cases[i].message ? -EINVAL : 0);
		if (r < 0)
			check_string(cases[i].text, message, cases[i].message);
		check_int(cases[i].text, rule.with, cases[i].with);
	}
}

static void test_driver(void **state unused)
{
	static const struct {
		enum rule_kind kind;
		const char *text, *driver;
		const char *message; /* NULL: fine */
	} cases[] = {
		{RULE_BIND, "driver=pci-stub optional", "pci-stub", NULL},
		{RULE_BIND, "optional", "", NULL},
		{RULE_BIND, "driver=a.b", "",
		 "driver= is vfio-pci, auto or a driver's name: 1 to 63 of A-Z, a-z, 0-9, _ and "
		 "-"},
		{RULE_KEEP, "driver=vfio-pci", "",
		 "driver= is for bind rules: what is kept stays with its own driver"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rule rule = {.kind = cases[i].kind};
		const char *message = NULL;
		struct text word;
		int r = rule_parse_options(text_of(cases[i].text), ' ', &rule, &word,
					   &message);

		check_int(cases[i].text, r, cases[i].message ? -EINVAL : 0);
		check_text(cases[i].text, rule.driver.n > 0 ? rule.driver : TEXT(""),
			   cases[i].driver);
		if (cases[i].message)
			check_string(cases[i].text, message, cases[i].message);
	}
}

/* What stands behind the selectors of a critical rule. */
static void test_critical(void **state unused)
{
	static const struct {
		const char *text;
		const char *wrong; /* the word; NULL: fine */
		unsigned allow;
		const char *carries;
	} cases[] = {
		{"storage", NULL, ALLOW_STORAGE, ""},
		{"network", NULL, ALLOW_NETWORK, ""},
		{"console  ", NULL, ALLOW_CONSOLE, ""},
		{" storage  / and swap on nvme0n1 ", NULL, ALLOW_STORAGE,
		 "/ and swap on nvme0n1"},
		{"storage storage", NULL, ALLOW_STORAGE, "storage"},
		{"", "", 0, NULL},
		{"  ", "", 0, NULL},
		{"disk / on sda", "disk", 0, NULL},
		{"storage,network", "storage,network", 0, NULL},
		{"allow=storage", "allow=storage", 0, NULL},
		{"optional storage", "optional", 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = cases[i].text, *message = NULL;
		struct text t = test_text(name), word = {NULL, 0};
		struct rule rule = {0};
		int r = rule_parse_critical(t, &rule, &word, &message);

		check_int(name, r, cases[i].wrong ? -EINVAL : 0);
		check_int(name, rule.allow, cases[i].allow);
		if (r < 0) {
			check_text(name, text_trim(word), cases[i].wrong);
			check_string(name, message,
				     "a critical device is storage, network or console");
		} else {
			check_text(name, rule.carries, cases[i].carries);
		}
		test_text_free(t);
	}
}

static void test_no_options(void **state unused)
{
	struct rule rule = {0};
	const char *message;
	struct text word;

	assert_int_equal(
		rule_parse_options((struct text){NULL, 0}, ';', &rule, &word, &message),
		0);
}

static void test_names(void **state unused)
{
	assert_string_equal(on_failure_name(ON_FAILURE_DEFAULT), "default");
	assert_string_equal(on_failure_name(ON_FAILURE_RESTORE), "restore");
	assert_string_equal(on_failure_name(ON_FAILURE_HOLD), "hold");
	assert_string_equal(on_failure_name(ON_FAILURE_SHELL), "shell");
}

static void test_origins(void **state unused)
{
	static const struct {
		struct origin origin;
		const char *text;
	} cases[] = {
		{{.source = SOURCE_CMDLINE}, "command line"},
		{{.source = SOURCE_MODPROBE}, "modprobe.d"},
		{{.source = SOURCE_ARGUMENT}, "argument"},
		{{.source = SOURCE_TABLE, .line = 3}, "table:3"},
		{{.source = SOURCE_TABLE, .file = {"a.conf", 6}, .line = 3}, "a.conf:3"},
		{{.source = SOURCE_CONFIG, .file = {"a.conf", 6}, .line = 3, .column = 7},
		 "a.conf:3:7"},
	};
	char buf[ORIGIN_SIZE], file[400];
	struct origin origin = {.source = SOURCE_CONFIG,
				.file = {file, sizeof(file)},
				.line = UINT32_MAX,
				.column = UINT32_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_string(cases[i].text, origin_format(&cases[i].origin, buf),
			     cases[i].text);
	/* The name is cut, the line is not. */
	memset(file, 'x', sizeof(file));
	check_contains("long", origin_format(&origin, buf), "x:4294967295:4294967295");
}

/* What --help and the completion list is what the parser takes, and no option is left out. */
static void test_option_words(void **state unused)
{
	struct rule rule = {.kind = RULE_BIND};
	const char *message = NULL, *names;
	char listed[1024] = "";
	struct text word;

	for (const struct word_help *w = rule_options; w->word; w++) {
		struct text rest = text_of(w->word), name;

		check_int(
			w->word,
			rule_parse_options(text_of(w->word), ' ', &rule, &word, &message),
			0);
		assert_true(text_cut(&rest, '=', &name));
		strcat(strncat(strcat(listed, "|"), name.p, name.n), rest.p ? "=" : "");
	}
	assert_int_equal(
		rule_parse_options(TEXT("nonsense"), ' ', &rule, &word, &message),
		-EINVAL);
	names = strstr(message, "has ");
	assert_non_null(names);
	for (struct text rest = text_of(names + 4), part; text_word(&rest, &part);) {
		char name[64];

		while (part.n > 0 && part.p[part.n - 1] == ',')
			part.n--;
		if (text_is(part, "and"))
			continue;
		snprintf(name, sizeof(name), "|%.*s", (int)part.n, part.p);
		check_contains(name, listed, name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),	   cmocka_unit_test(test_critical),
		cmocka_unit_test(test_no_options), cmocka_unit_test(test_with),
		cmocka_unit_test(test_driver),	   cmocka_unit_test(test_names),
		cmocka_unit_test(test_origins),	   cmocka_unit_test(test_option_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
