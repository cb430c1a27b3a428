/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <jansson.h>

#include "fake_check.h"
#include "modload.h"

#define CARD "0000:01:00.0"

static struct fake_boot run(struct fake_world **ret_world, const char *cmdline,
			    const char *table, void (*change)(struct fake_world *))
{
	struct fake_world *w = fake_new();
	struct fake_boot boot;

	fake_load_machine(w, "alveo", false);
	w->cmdline = cmdline;
	if (change)
		change(w);
	fake_boot(w, table, &boot);
	*ret_world = w;
	return boot;
}

static void finish(struct fake_world *w, struct fake_boot *boot)
{
	fake_boot_free(boot);
	fake_free(w);
}

static json_t *read_report(const struct fake_world *w)
{
	json_error_t error;
	json_t *root = json_loads(w->report, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		fail_msg("%s: %s", error.text, w->report);
	return root;
}

static const char *string_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		fail_msg("no \"%s\"", key);
	return json_is_null(value) ? "(null)" : json_string_value(value);
}

static void grab(struct fake_world *w)
{
	fake_give(w, CARD, "xclmgmt");
}

static void test_everything_is_in_it(void **state unused)
{
	struct fake_world *w;
	struct fake_boot boot = run(&w,
				    "vfio-pci.ids=10ee:5000,10ee:5001,xyz "
				    "rd.earlybind.bind=1234:5678",
				    "keep 01:00.1\nbind 02:00.1 optional\n", grab);
	json_t *root = read_report(w), *device, *list;

	assert_int_equal(json_integer_value(json_object_get(root, "schema")),
			 REPORT_SCHEMA);
	assert_true(json_is_false(json_object_get(root, "dry_run")));
	assert_true(json_is_false(json_object_get(root, "all_bound")));
	assert_string_equal(string_of(root, "reason"), "(null)");
	assert_int_equal(json_integer_value(json_object_get(root, "unread")), 0);
	assert_true(json_integer_value(json_object_get(root, "microseconds")) > 0);

	list = json_object_get(root, "rules");
	assert_int_equal(json_array_size(list), 5);
	device = json_array_get(list, 0);
	/* Rules of the command line stand where they stand there; the IDs come last. */
	assert_string_equal(string_of(device, "text"), "1234:5678");
	assert_string_equal(string_of(device, "origin"), "command line");
	assert_int_equal(json_integer_value(json_object_get(device, "matched")), 0);

	list = json_object_get(root, "devices");
	assert_int_equal(json_array_size(list), 3);
	device = json_array_get(list, 0);
	assert_string_equal(string_of(device, "address"), CARD);
	assert_string_equal(string_of(device, "id"), "10ee:5000");
	assert_string_equal(string_of(device, "subsystem"), "0000:0000");
	assert_string_equal(string_of(device, "class"), "120000");
	assert_int_equal(json_integer_value(json_object_get(device, "iommu_group")), 1);
	assert_string_equal(string_of(device, "driver"), "xclmgmt");
	assert_string_equal(string_of(device, "wanted"), "vfio-pci");
	assert_string_equal(string_of(device, "action"), "recover");
	assert_string_equal(string_of(device, "rule"), "10ee:5000");
	assert_string_equal(string_of(device, "reason"), "(null)");
	assert_string_equal(string_of(device, "before"), "xclmgmt");
	assert_string_equal(string_of(device, "after"), "vfio-pci");
	assert_string_equal(string_of(device, "verdict"), "bound");
	assert_int_equal(json_integer_value(json_object_get(device, "errno")), 0);
	assert_true(json_integer_value(json_object_get(device, "microseconds")) > 0);
	device = json_array_get(list, 1);
	assert_string_equal(string_of(device, "action"), "keep");
	assert_string_equal(string_of(device, "wanted"), "(null)");
	assert_string_equal(string_of(device, "driver"), "(null)");
	assert_string_equal(string_of(device, "verdict"), "(null)");
	assert_string_equal(string_of(device, "reason"), "kept");
	assert_string_equal(string_of(device, "origin"), "table:1");

	device = json_array_get(json_object_get(root, "groups"), 0);
	assert_true(json_is_false(json_object_get(device, "viable")));
	assert_int_equal(json_array_size(json_object_get(device, "blockers")), 2);
	list = json_object_get(root, "modules");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(string_of(json_array_get(list, 1), "name"), "vfio_pci");
	assert_string_equal(string_of(json_array_get(list, 1), "outcome"), "loaded");
	list = json_object_get(root, "problems");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(string_of(json_array_get(list, 0), "text"), "xyz");
	assert_string_equal(string_of(json_array_get(list, 0), "severity"), "error");

	json_decref(root);
	finish(w, &boot);
}

/* The lines that people read, at the level that they deserve. */
static void test_lines(void **state unused)
{
	static const struct {
		const char *name, *cmdline, *table;
		void (*change)(struct fake_world *);
		const char *line;
	} cases[] = {
		{"bound", "vfio-pci.ids=10ee:5000", NULL, NULL,
		 "<5>0000:01:00.0 [10ee:5000] bound to vfio-pci, group 1, "},
		{"recovered", "vfio-pci.ids=10ee:5000", NULL, grab,
		 "<5>0000:01:00.0 [10ee:5000] bound to vfio-pci (was xclmgmt), group 1, "},
		{"kept", "vfio-pci.ids=10ee:5000,10ee:5001", "keep 01:00.0\n", grab,
		 "<5>0000:01:00.0 [10ee:5000] left alone (xclmgmt): a keep rule protects it "
		 "(table:1)\n"},
		{"refused", "rd.earlybind.bind=00:01.0", NULL, NULL,
		 "<3>0000:00:01.0 [8086:1901] not bound (pcieport): it is a bridge"},
		{"missing", "vfio-pci.ids=1234:5678", NULL, NULL,
		 "<4>command line: \"1234:5678\": no such device is present"},
		{"mismatch", "rd.earlybind.bind=01:00.0+10de:*", NULL, NULL,
		 "<3>0000:01:00.0 [10ee:5000] not bound: another device sits in this place: "
		 "10ee:5000 is there now"},
		{"mistake", "vfio-pci.ids=10ee:5000,xyz", NULL, NULL,
		 "<4>command line: \"xyz\": not an ID"},
		{"of the table", "quiet", "bind 10ee:5000\nbind 10ee:500\n", NULL,
		 "<4>table:2: \"500\": the device is 4 hexadecimal digits or *, ignoring\n"},
		{"details", "vfio-pci.ids=10ee:5000 rd.earlybind.log=debug", NULL, NULL,
		 "<7>rule: bind 10ee:5000, from command line, names 1\n"},
		{"details of modules", "vfio-pci.ids=10ee:5000 rd.earlybind.log=debug",
		 NULL, NULL, "<7>module: vfio_pci: loaded, "},
		{"off", "rd.earlybind=0 vfio-pci.ids=10ee:5000", NULL, NULL, "<7>off: "},
		{"nothing", "", NULL, NULL, "<7>no rule: nothing to do\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_world *w;
		struct fake_boot boot =
			run(&w, cases[i].cmdline, cases[i].table, cases[i].change);

		check_contains(cases[i].name, w->log, cases[i].line);
		finish(w, &boot);
	}
}

static void test_optional_rules_are_not_missed(void **state unused)
{
	static const struct {
		const char *cmdline;
		int code;
	} cases[] = {
		{"rd.earlybind.bind=10ee:*,1234:5678", EXIT_NOT_ALL},
		{"rd.earlybind.bind=10ee:* rd.earlybind.bind=1234:5678;optional",
		 EXIT_ALL_BOUND},
		{"rd.earlybind.bind=10ee:* rd.earlybind.bind=03:00.0;optional",
		 EXIT_ALL_BOUND},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_world *w;
		struct fake_boot boot = run(&w, cases[i].cmdline, NULL, NULL);

		check_int(cases[i].cmdline, boot.code, cases[i].code);
		finish(w, &boot);
	}
}

static void test_profiles_that_nobody_asked_for(void **state unused)
{
	struct fake_world *w;
	struct fake_boot boot = run(
		&w, "", "bind 10ee:*\n[profile x]\nbind 1234:*\nkeep 01:00.0\n", NULL);
	json_t *root = read_report(w);

	assert_int_equal(boot.code, EXIT_ALL_BOUND);
	assert_true(json_is_false(json_object_get(
		json_array_get(json_object_get(root, "rules"), 1), "active")));
	json_decref(root);
	finish(w, &boot);
}

static void lose_modules(struct fake_world *w)
{
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_MISSING;
}

static void test_nothing_could_be_done(void **state unused)
{
	struct fake_world *w;
	struct fake_boot boot = run(&w, "vfio-pci.ids=10ee:5000", NULL, lose_modules);
	json_t *root = read_report(w);
	const json_t *module;

	assert_string_equal(string_of(root, "reason"), "no-vfio");
	check_contains("message", string_of(root, "message"),
		       "the module vfio_pci is not in");
	module = json_array_get(json_object_get(root, "modules"), 1);
	assert_string_equal(string_of(module, "outcome"), "failed");
	assert_int_equal(json_integer_value(json_object_get(module, "errno")), ENOENT);
	check_contains("log", w->log, "<3>nothing was done: the module vfio_pci");
	/* Of groups in which nothing is bound, nothing is said. */
	assert_int_equal(json_array_size(json_object_get(root, "groups")), 0);
	json_decref(root);
	finish(w, &boot);
}

static void test_many_problems(void **state unused)
{
	char line[2000] = "vfio-pci.ids=10ee:5000";
	struct fake_world *w;
	struct fake_boot boot;
	json_t *root;

	for (int i = 0; i < PROBLEMS_MAX + 5; i++)
		strcat(line, ",x");
	boot = run(&w, line, NULL, NULL);
	check_contains("log", w->log, "5 more problems are not shown");
	root = read_report(w);
	assert_int_equal(json_array_size(json_object_get(root, "problems")),
			 PROBLEMS_MAX);
	json_decref(root);
	finish(w, &boot);
}

static void test_text_of_any_kind_stays_json(void **state unused)
{
	struct fake_world *w;
	struct fake_boot boot =
		run(&w, "vfio-pci.ids=10ee:5000,\"\\\xff\x01\t", NULL, NULL);

	json_decref(read_report(w));
	finish(w, &boot);
}

static void test_names(void **state unused)
{
	static const char *const verdicts[] = {"",	  "bound",   "held",  "restored",
					       "refused", "missing", "stuck", "failed"};
	static const char *const states[] = {"failed", "loaded", "live", "builtin"};

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		assert_string_equal(verdict_name((enum verdict)i), verdicts[i]);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		assert_string_equal(module_state_name((enum module_state)i), states[i]);
}

/* A note is behind what became of the device, whatever that is. */
static void test_notes(void **state unused)
{
	static const char *const ends[] = {
		" ms; it came along",
		"name other devices; it came along",
	};
	struct fake_world *w;
	struct fake_boot boot =
		run(&w, "vfio-pci.ids=10ee:5000 rd.earlybind.bind=00:01.0", NULL, NULL);
	char line[512], buf[4096];

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct outcome o = boot.run.report.outcomes[1 - i];
		struct plan_device pd = *o.plan;
		struct json json = {.buf = buf, .size = sizeof(buf)};

		report_write_device(&pd, &o, &json);
		assert_null(strstr(buf, "note"));
		pd.note = "it came along";
		o.plan = &pd;
		report_device_line(&o, line, sizeof(line));
		check_contains(ends[i], line, ends[i]);
		json = (struct json){.buf = buf, .size = sizeof(buf)};
		report_write_device(&pd, &o, &json);
		check_contains(ends[i], buf, "\"note\": \"it came along\"");
	}
	finish(w, &boot);
}

/* A line is cut, never overrun. */
static void test_short_buffer(void **state unused)
{
	struct fake_world *w;
	struct fake_boot boot =
		run(&w, "vfio-pci.ids=10ee:5000 rd.earlybind.bind=00:01.0", NULL, NULL);

	for (size_t size = 1; size < 100; size++)
		for (size_t i = 0; i < boot.run.plan.device_count; i++) {
			char *line = malloc(size);

			assert_non_null(line);
			report_device_line(&boot.run.report.outcomes[i], line, size);
			assert_true(strlen(line) < size);
			free(line);
		}
	finish(w, &boot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_in_it),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_optional_rules_are_not_missed),
		cmocka_unit_test(test_profiles_that_nobody_asked_for),
		cmocka_unit_test(test_nothing_could_be_done),
		cmocka_unit_test(test_many_problems),
		cmocka_unit_test(test_text_of_any_kind_stays_json),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_short_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
