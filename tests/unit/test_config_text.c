/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules.h"

#include "config.h"
#include "edit_session.h"

#define ARENA_SIZE ((size_t)16 * 1024 * 1024)
#define NAMED_MAX  8

struct fixture {
	struct arena arena;
	struct text bytes;
	struct config_edit edit;
};

static void begin(struct fixture *f, const char *text)
{
	f->arena = test_arena(ARENA_SIZE);
	f->bytes = test_text(text);
	assert_int_equal(config_edit_start(&f->edit, &f->arena, f->bytes), 0);
}

static void end(struct fixture *f)
{
	test_text_free(f->bytes);
	test_arena_free(&f->arena);
}

static struct policy parse(struct fixture *f)
{
	struct policy policy;

	assert_int_equal(policy_init(&policy, &f->arena), 0);
	config_parse(&policy, SOURCE_CONFIG, TEXT("c"), f->edit.bytes);
	return policy;
}

/* The changes as a diff. */
static const char *describe_changes(const struct config_edit *edit)
{
	static char buf[4096];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < edit->change_count; i++) {
		const struct config_change *c = &edit->changes[i];

		if (c->before.p)
			used += (size_t)snprintf(buf + used, sizeof(buf) - used,
						 "-%.*s\n", (int)c->before.n,
						 c->before.p);
		if (c->after.p)
			used += (size_t)snprintf(buf + used, sizeof(buf) - used,
						 "+%.*s\n", (int)c->after.n, c->after.p);
	}
	return buf;
}

#define RULE "bind 10ee:5000"

/* One line is added. */
static const struct {
	const char *text, *profile, *want;
} appends[] = {
	{"", "", RULE "\n"},
	{"# mine\n", "", "# mine\n" RULE "\n"},
	{"# mine", "", "# mine\n" RULE "\n"},
	{"bind 10de:* # gpu", "", "bind 10de:* # gpu\n" RULE "\n"},
	{"bind 10de:*\n\n", "", "bind 10de:*\n\n" RULE "\n"},
	{"bind 10de:*\r\n", "", "bind 10de:*\r\n" RULE "\r\n"},
	{"# a\r\nbind 10de:*", "", "# a\r\nbind 10de:*\r\n" RULE "\r\n"},
	{"\n", "", "\n" RULE "\n"},

	/* In front of a section, and of the comment that belongs to it */
	{"[profile a]\n", "", RULE "\n[profile a]\n"},
	{"# mine\n[profile a]\n", "", "# mine\n" RULE "\n[profile a]\n"},
	{"# mine\n\n# a's\n[profile a]\n", "",
	 "# mine\n" RULE "\n\n# a's\n[profile a]\n"},
	{"keep 1:0.0\n[profile a]\nbind 10de:*\n", "",
	 "keep 1:0.0\n" RULE "\n[profile a]\nbind 10de:*\n"},
	{"keep 1:0.0\n\n\n# 1\n# 2\n [ profile a ] # x\n", "",
	 "keep 1:0.0\n" RULE "\n\n\n# 1\n# 2\n [ profile a ] # x\n"},
	{"keep 1:0.0\n# below\n\n[profile a]\n", "",
	 "keep 1:0.0\n# below\n" RULE "\n\n[profile a]\n"},

	/* In a section */
	{"", "a", "[profile a]\n" RULE "\n"},
	{"keep 1:0.0", "a", "keep 1:0.0\n\n[profile a]\n" RULE "\n"},
	{"keep 1:0.0\r\n", "a", "keep 1:0.0\r\n\r\n[profile a]\r\n" RULE "\r\n"},
	{"[profile a]", "a", "[profile a]\n" RULE "\n"},
	{"[profile a]\n[profile b]\n", "a", "[profile a]\n" RULE "\n[profile b]\n"},
	{"[profile a]\n# b's\n[profile b]\n", "a",
	 "[profile a]\n" RULE "\n# b's\n[profile b]\n"},
	{"[profile a]\nkeep 1:0.0\n\n[profile b]\nkeep 2:0.0", "a",
	 "[profile a]\nkeep 1:0.0\n" RULE "\n\n[profile b]\nkeep 2:0.0"},
	{"[profile a]\nkeep 1:0.0\n\n[profile b]\nkeep 2:0.0", "b",
	 "[profile a]\nkeep 1:0.0\n\n[profile b]\nkeep 2:0.0\n" RULE "\n"},
	{"[profile ab]\n", "a", "[profile ab]\n\n[profile a]\n" RULE "\n"},
	{"# [profile a]\n", "a", "# [profile a]\n\n[profile a]\n" RULE "\n"},
};

static void test_append(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(appends); i++) {
		const char *label = appends[i].text;
		struct text line = TEXT(RULE);
		struct policy before, after;
		const struct rule *rule = NULL;
		struct fixture f;

		begin(&f, appends[i].text);
		before = parse(&f);
		check_int(label,
			  config_edit_append(&f.edit, text_of(appends[i].profile), &line,
					     1),
			  0);
		check_text(label, f.edit.bytes, appends[i].want);
		check_contains(label, describe_changes(&f.edit), "+" RULE "\n");
		after = parse(&f);
		check_int(label, after.problem_count, 0);
		check_int(label, after.rule_count, before.rule_count + 1);
		for (size_t k = 0; k < after.rule_count; k++)
			if (text_is(after.rules[k].text, "10ee:5000"))
				rule = &after.rules[k];
		check_true(label, rule);
		check_int(label, rule->profile.n, strlen(appends[i].profile));
		end(&f);
	}
}

/* The rules with these selectors are removed. */
static const struct {
	const char *text, *named[NAMED_MAX], *want, *changes;
} removals[] = {
	{"bind 1:0.0\n", {"1:0.0"}, "", "-bind 1:0.0\n"},
	{"bind 1:0.0", {"1:0.0"}, "", "-bind 1:0.0\n"},
	{"# a\nbind 1:0.0 # b\n\n# c", {"1:0.0"}, "# a\n\n# c", "-bind 1:0.0 # b\n"},
	{"bind 1:0.0\nbind 2:0.0", {"2:0.0"}, "bind 1:0.0\n", "-bind 2:0.0\n"},
	{"bind 1:0.0\nbind 2:0.0", {"1:0.0"}, "bind 2:0.0", "-bind 1:0.0\n"},
	{"bind 1:0.0\r\nbind 2:0.0\r\n", {"1:0.0"}, "bind 2:0.0\r\n", "-bind 1:0.0\n"},
	{"  bind\t1:0.0,2:0.0   optional # x\r\n",
	 {"1:0.0"},
	 "  bind\t2:0.0   optional # x\r\n",
	 "-  bind\t1:0.0,2:0.0   optional # x\n+  bind\t2:0.0   optional # x\n"},
	{"bind 1:0.0,2:0.0,3:0.0",
	 {"2:0.0"},
	 "bind 1:0.0,3:0.0",
	 "-bind 1:0.0,2:0.0,3:0.0\n+bind 1:0.0,3:0.0\n"},
	{"bind 1:0.0,2:0.0,3:0.0\n",
	 {"1:0.0", "3:0.0"},
	 "bind 2:0.0\n",
	 "-bind 1:0.0,2:0.0,3:0.0\n+bind 2:0.0\n"},
	{"bind 1:0.0,2:0.0\nkeep 3:0.0\n",
	 {"1:0.0", "2:0.0", "3:0.0"},
	 "",
	 "-bind 1:0.0,2:0.0\n-keep 3:0.0\n"},
	/* The same text in another place is another rule. */
	{"# 1:0.0\nbind 1:0.0 # 1:0.0\nbind 1:0.0,2:0.0\n",
	 {"1:0.0"},
	 "# 1:0.0\nbind 2:0.0\n",
	 "-bind 1:0.0 # 1:0.0\n-bind 1:0.0,2:0.0\n+bind 2:0.0\n"},
	{"[profile a]\nbind 1:0.0\n[profile b]\n",
	 {"1:0.0"},
	 "[profile a]\n[profile b]\n",
	 "-bind 1:0.0\n"},
	{"bind 1:0.0\n", {NULL}, "bind 1:0.0\n", ""},
	{"", {NULL}, "", ""},
};

static bool is_named(const char *const *named, struct text text)
{
	for (size_t i = 0; i < NAMED_MAX && named[i]; i++)
		if (text_is(text, named[i]))
			return true;
	return false;
}

static void test_remove(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(removals); i++) {
		const char *label = removals[i].text;
		struct text selectors[NAMED_MAX];
		struct policy before, after;
		size_t count = 0;
		struct fixture f;

		begin(&f, removals[i].text);
		before = parse(&f);
		check_int(label, before.problem_count, 0);
		for (size_t k = 0; k < before.rule_count; k++)
			if (is_named(removals[i].named, before.rules[k].text))
				selectors[count++] = before.rules[k].text;
		check_int(label, config_edit_remove(&f.edit, selectors, count), 0);
		check_true(label, f.edit.bytes.n == strlen(removals[i].want));
		check_true(label, f.edit.bytes.n == 0 ||
					  text_is(f.edit.bytes, removals[i].want));
		check_string(label, describe_changes(&f.edit), removals[i].changes);
		after = parse(&f);
		check_int(label, after.problem_count, 0);
		check_int(label, after.rule_count, before.rule_count - count);
		end(&f);
	}
}

/* What was added goes away again, and nothing else does. */
static void test_there_and_back(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(appends); i++) {
		const char *label = appends[i].text;
		struct text lines[] = {TEXT(RULE ",1:2.3 optional"), TEXT("keep 4:5.6")};
		struct text selectors[3];
		struct policy policy;
		size_t count = 0;
		struct fixture f;

		begin(&f, appends[i].text);
		policy = parse(&f);
		count = policy.rule_count;
		assert_int_equal(config_edit_append(&f.edit, text_of(appends[i].profile),
						    lines, 2),
				 0);
		policy = parse(&f);
		check_int(label, policy.rule_count, count + 3);
		count = 0;
		for (size_t k = 0; k < policy.rule_count; k++)
			if (text_is(policy.rules[k].text, "10ee:5000") ||
			    text_is(policy.rules[k].text, "1:2.3") ||
			    text_is(policy.rules[k].text, "4:5.6"))
				selectors[count++] = policy.rules[k].text;
		check_int(label, count, 3);
		assert_int_equal(config_edit_remove(&f.edit, selectors, count), 0);
		/* Up to a line end at the end, and the head of a new section. */
		check_true(label, f.edit.bytes.n >= f.bytes.n);
		if (appends[i].profile[0] == '\0')
			check_true(label, f.edit.bytes.n <= f.bytes.n + 2);
		policy = parse(&f);
		check_int(label, policy.problem_count, 0);
		end(&f);
	}
}

/* A file of the largest size that is read, of rules in long lists. */
static void test_large(void **state unused)
{
	const size_t size = 1024 * 1024;
	struct text line = TEXT(RULE), selectors[RULES_MAX];
	struct fixture f;
	struct policy policy;
	char *bytes = malloc(size + 1);
	size_t used = 0, count = 0;

	assert_non_null(bytes);
	for (size_t i = 0; i < 1000; i++)
		used += (size_t)snprintf(bytes + used, size - used, "%s%04zx:%04zx%s",
					 i % 10 == 0 ? "bind " : "", i + 1, i,
					 i % 10 == 9 ? "\r\n" : ",");
	memset(bytes + used, '#', size - used);
	bytes[size] = '\0';
	begin(&f, bytes);
	free(bytes);

	policy = parse(&f);
	assert_int_equal(policy.rule_count, 1000);
	for (size_t i = 0; i < policy.rule_count; i += 2)
		selectors[count++] = policy.rules[i].text;
	assert_int_equal(config_edit_remove(&f.edit, selectors, count), 0);
	assert_int_equal(f.edit.change_count, 100);
	assert_int_equal(f.edit.bytes.n, size - 500 * 10);
	assert_int_equal(config_edit_append(&f.edit, TEXT(""), &line, 1), 0);
	assert_int_equal(f.edit.bytes.n, size - 500 * 10 + line.n + 4);
	policy = parse(&f);
	assert_int_equal(policy.rule_count, 501);
	assert_int_equal(policy.problem_count, 0);
	end(&f);
}

static void test_limits(void **state unused)
{
	struct text line = TEXT(RULE), none[1] = {{NULL, 0}};
	struct fixture f;

	begin(&f, "bind 1:0.0\n");
	for (size_t i = 0; i < CONFIG_CHANGES_MAX; i++)
		assert_int_equal(config_edit_append(&f.edit, TEXT(""), &line, 0), 0);
	f.edit.change_count = CONFIG_CHANGES_MAX;
	assert_int_equal(config_edit_append(&f.edit, TEXT(""), &line, 1), -E2BIG);
	/* A selector that is not in the text changes nothing. */
	assert_int_equal(config_edit_remove(&f.edit, none, 1), 0);
	check_text("as it was", f.edit.bytes, "bind 1:0.0\n");
	f.arena.used = f.arena.size;
	assert_int_equal(config_edit_append(&f.edit, TEXT(""), &line, 1), -ENOMEM);
	assert_int_equal(config_edit_remove(&f.edit, none, 1), -ENOMEM);
	assert_int_equal(config_edit_start(&f.edit, &f.arena, f.bytes), -ENOMEM);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),	       cmocka_unit_test(test_remove),
		cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_large),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
