/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dracut's command line files: which ones count, in which order, and what is wrong with them. */
#include "rules.h"

#include "fake_world.h"
#include "policy.h"

struct reading {
	struct arena arena;
	struct policy policy;
};

static void read_all(struct fake_world *w, bool has_files, struct reading *ret)
{
	*ret = (struct reading){.arena = test_arena((size_t)2 * 1024 * 1024)};
	assert_int_equal(policy_init(&ret->policy, &ret->arena), 0);
	cmdline_read(&w->world, &ret->arena, has_files, &ret->policy);
}

static void put_etc(struct fake_world *w, const char *path, const char *text)
{
	fake_put_file(w, WORLD_ETC, path, text_of(text));
}

/* The order of dracut-lib.sh: getcmdline(). */
static void test_order(void **state unused)
{
	static const char *const ids[] = {
		"bind 0000:0001 @/etc/cmdline.d/10-a.conf\n",
		"bind 0000:0002 @/etc/cmdline.d/9-b.conf\n",
		"bind 0000:0003 @/etc/cmdline\n",
		"bind 0000:0004 @command line\n",
		"bind 0000:0005 @/run/initramfs/cmdline.d/a.conf\n",
	};

	/* With each further file, the last one wins. */
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct fake_world *w = fake_new();
		struct reading r;

		put_etc(w, "cmdline.d/10-a.conf", "vfio-pci.ids=0:1\n");
		if (i >= 1)
			put_etc(w, "cmdline.d/9-b.conf", "quiet\nvfio_pci.ids=0:2");
		if (i >= 2)
			put_etc(w, "cmdline", "vfio-pci.ids=0:3\n");
		if (i >= 3)
			w->cmdline = "vfio-pci.ids=0:4";
		if (i >= 4)
			fake_put_file(w, WORLD_RUN, "initramfs/cmdline.d/a.conf",
				      TEXT("vfio-pci.ids=0:5"));
		read_all(w, true, &r);
		check_string(ids[i], describe_rules(&r.policy), ids[i]);
		test_arena_free(&r.arena);
		/* On a living system they are somebody else's. */
		read_all(w, false, &r);
		check_string(ids[i], describe_rules(&r.policy), i >= 3 ? ids[3] : "");
		test_arena_free(&r.arena);
		fake_free(w);
	}
}

static void test_content(void **state unused)
{
	static const struct {
		const char *text, *rules;
		bool is_off;
	} cases[] = {
		/* A line end is a blank. */
		{"rd.earlybind.bind=01:00.0\nrd.earlybind.bind=01:00.1\r\n\n",
		 "bind 0000:01:00.0 @/etc/cmdline\nbind 0000:01:00.1 @/etc/cmdline\n",
		 false},
		{"rd.earlybind=0\n", "", true},
		{"", "", false},
		{" \n\n", "", false},
		/* There are no comments. */
		{"# rd.earlybind=0", "", true},
		/* What is open here does not reach the next file. */
		{"quiet \"a -- ", "", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_world *w = fake_new();
		struct reading r;

		put_etc(w, "cmdline", cases[i].text);
		w->cmdline = "rd.earlybind.timeout=7";
		read_all(w, true, &r);
		check_string(cases[i].text, describe_rules(&r.policy), cases[i].rules);
		check_int(cases[i].text, r.policy.off, cases[i].is_off);
		check_int(cases[i].text, r.policy.timeout, 7);
		check_int(cases[i].text, r.policy.problem_count, 0);
		test_arena_free(&r.arena);
		fake_free(w);
	}
}

/* The last switch wins; and what the kernel itself must hear counts in its own line only. */
static void test_switches(void **state unused)
{
	struct fake_world *w = fake_new();
	struct reading r;

	put_etc(w, "cmdline.d/a.conf",
		"rd.earlybind=0 vfio_pci.disable_denylist=1 "
		"vfio.enable_unsafe_noiommu_mode=1");
	w->cmdline = "rd.earlybind=1";
	read_all(w, true, &r);
	assert_false(r.policy.off);
	assert_false(r.policy.has_denylist_off);
	assert_false(r.policy.has_noiommu);
	test_arena_free(&r.arena);
	fake_free(w);
}

static void test_names(void **state unused)
{
	static const char *const ignored[] = {"cmdline.d/a", "cmdline.d/.a.conf",
					      "cmdline.d/a.conf~", "cmdline.d/conf"};
	struct fake_world *w = fake_new();
	struct reading r;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		put_etc(w, ignored[i], "rd.earlybind=0");
	put_etc(w, "cmdline.d/a\n#: x:1\nb.conf", "rd.earlybind.bind=01:00.0");
	read_all(w, true, &r);
	assert_false(r.policy.off);
	assert_string_equal(describe_rules(&r.policy),
			    "bind 0000:01:00.0 @/etc/cmdline.d/a?#: x:1?b.conf\n");
	test_arena_free(&r.arena);
	fake_free(w);
}

static void test_limits(void **state unused)
{
	char *large = malloc(CMDLINE_FILE_SIZE_MAX);
	struct fake_world *w = fake_new();
	struct reading r;

	assert_non_null(large);
	memset(large, 'x', CMDLINE_FILE_SIZE_MAX);
	fake_put_file(w, WORLD_ETC, "cmdline",
		      (struct text){large, CMDLINE_FILE_SIZE_MAX - 1});
	read_all(w, true, &r);
	assert_false(r.policy.is_partial);
	test_arena_free(&r.arena);
	fake_put_file(w, WORLD_ETC, "cmdline",
		      (struct text){large, CMDLINE_FILE_SIZE_MAX});
	read_all(w, true, &r);
	assert_true(r.policy.is_partial);
	assert_string_equal(describe_problems(&r.policy),
			    "/etc/cmdline \"/etc/cmdline\" e\n");
	test_arena_free(&r.arena);
	fake_put_file(w, WORLD_ETC, "cmdline", TEXT(""));
	for (int i = 0; i < CMDLINE_FILES_MAX + 1; i++) {
		char name[32];

		snprintf(name, sizeof(name), "cmdline.d/%02d.conf", i);
		put_etc(w, name, "rd.earlybind.bind=01:00.0");
		read_all(w, true, &r);
		check_int(name, r.policy.rule_count, MIN(i + 1, CMDLINE_FILES_MAX));
		check_int(name, r.policy.is_partial, i == CMDLINE_FILES_MAX);
		test_arena_free(&r.arena);
	}
	free(large);
	fake_free(w);
}

/* Each access fails once: what is left counts, and the loss is known. */
static void test_faults(void **state unused)
{
	for (unsigned at = 1; at <= 6; at++) {
		struct fake_world *w = fake_new();
		struct reading r;

		put_etc(w, "cmdline.d/a.conf", "rd.earlybind.bind=01:00.0");
		put_etc(w, "cmdline", "rd.earlybind.bind=01:00.1");
		w->cmdline = "rd.earlybind.bind=01:00.2";
		w->fault_at = at;
		w->fault = FAULT_ERROR;
		read_all(w, true, &r);
		check_int("accesses", w->accesses, at == 1 ? 4 : 5);
		check_int("partial", r.policy.is_partial, at <= 5);
		check_int("problems", r.policy.problem_count, at <= 5);
		check_int("rules", r.policy.rule_count,
			  at == 1 || at == 2 || at == 3 || at == 4 ? 2 : 3);
		test_arena_free(&r.arena);
		fake_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),	 cmocka_unit_test(test_content),
		cmocka_unit_test(test_switches), cmocka_unit_test(test_names),
		cmocka_unit_test(test_limits),	 cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
