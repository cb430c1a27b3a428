/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plans for recorded machines, compared with tests/golden/MACHINE/CASE.json. "make
 * golden" (GOLDEN=write) writes what the planner gives now; git shows what that changes.
 */
#include "test.h"

#include "config.h"
#include "fake_check.h"

#define GOLDEN	  "tests/golden"
#define PLAN_SIZE ((size_t)256 * 1024)

enum moment {
	BEFORE_UDEV, /* only built-in drivers have their devices */
	RUNNING,
};

static const struct {
	const char *machine, *name;
	enum moment moment;
	const char *cmdline, *modprobe_ids, *config;
} cases[] = {
	/* The reference machine, by each source */
	{"alveo", "cmdline-ids", BEFORE_UDEV,
	 "intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001", NULL, NULL},
	{"alveo", "modprobe-ids", BEFORE_UDEV, "intel_iommu=on", "10ee:5000,10ee:5001",
	 NULL},
	{"alveo", "config", BEFORE_UDEV, "intel_iommu=on", NULL,
	 "# The card, both functions, and only if it is one of Xilinx.\n"
	 "bind  01:00.*+10ee:*\n"
	 "keep  02:00.*\n"
	 "option timeout=5\n"},
	{"alveo", "running", RUNNING, "vfio-pci.ids=10ee:5000,10ee:5001", NULL, NULL},
	{"alveo", "whole-group", RUNNING, "", NULL,
	 "bind 10ee:5000,10ee:5001\n"
	 "bind 02:00.0,02:00.1 allow=console\n"},
	{"alveo", "with-functions", BEFORE_UDEV, "", NULL,
	 "bind 10ee:5001 with=functions\n"},
	{"alveo", "with-group", BEFORE_UDEV,
	 "rd.earlybind.bind=10ee:5000,10ee:5001;with=group", NULL, NULL},
	{"alveo", "with-group-allowed", BEFORE_UDEV, "", NULL,
	 "bind 10ee:5000,10ee:5001 with=group allow=console\n"},
	{"alveo", "all-displays", RUNNING, "rd.earlybind.bind=class=03", NULL, NULL},
	{"alveo", "mistakes", BEFORE_UDEV,
	 "vfio-pci.ids=10ee:5000,10ee5001,10ee:5001;x rd.earlybind.bind=01:00.8 "
	 "rd.earlybind.colour=red -- vfio-pci.ids=10de:2489",
	 NULL, "bind 1002:*\nbind 01:00.0+10de:2489\n[profile x]\nbind 02:00.0\n"},
	{"alveo", "everything", RUNNING, "rd.earlybind.bind=*:*", NULL, NULL},
	{"alveo", "paths", RUNNING, "", NULL,
	 "bind path=00:01.0+10ee:*\n"
	 "bind path=00:01.1/00.0+10de:1eb8\n"
	 "bind path=00:1c.0 optional\n"
	 "keep path=00:02.0\n"},
	{"alveo", "serials", RUNNING,
	 "rd.earlybind.bind=serial=00-0a-35-ff-ff-00-12-34+path=00:01.0/00.0", NULL,
	 "bind 01:00.1+serial=00-0a-35-ff-ff-00-12-34\n"
	 "bind path=0:1.0+path=0:1.0\nbind serial=00-0a-35\n"},
	/* XRT's own model: the user function alone, which the management function stops */
	{"alveo", "accel", BEFORE_UDEV, "intel_iommu=on", NULL,
	 "bind accel=alveo-user\n"},
	{"alveo", "accel-unknown", BEFORE_UDEV,
	 "rd.earlybind.bind=accel=alveo-user+path=00:01.1 rd.earlybind.bind=accel=gaudi3",
	 NULL,
	 "keep accel=alveo-mgmt\nbind accel=alveo-usr\nbind accel=alveo,accel=neuron\n"},
	{"alveo", "reflashed", RUNNING, "", NULL,
	 "bind path=00:01.0/00.*\nbind 02:00.0 allow=console\n"
	 "known path=0000:00:01.0/00.* 10ee:d000:10ee:000e,10ee:5001:0000:0000\n"
	 "known 0000:02:00.0 10de:1eb8:0000:0000\n"},
	/* Groups of their own */
	{"alveo-acs", "cmdline-ids", RUNNING, "vfio-pci.ids=10ee:5000,10ee:5001", NULL,
	 NULL},
	{"alveo-acs", "gpu", RUNNING, "", NULL, "bind 02:00.* allow=console\n"},
	{"alveo-acs", "everything", RUNNING, "rd.earlybind.bind=*:*", NULL, NULL},
	/* A server without an IOMMU */
	{"hpe-haswell", "network", RUNNING, "vfio-pci.ids=8086:10fb", NULL, NULL},
	{"hpe-haswell", "network-noiommu", RUNNING,
	 "vfio-pci.ids=8086:10fb vfio.enable_unsafe_noiommu_mode=1", NULL, NULL},
	{"hpe-haswell", "only-display", RUNNING,
	 "rd.earlybind.bind=class=03 vfio.enable_unsafe_noiommu_mode=1", NULL, NULL},
	{"hpe-haswell", "with-functions", RUNNING,
	 "rd.earlybind.bind=04:00.1;with=functions vfio.enable_unsafe_noiommu_mode=1",
	 NULL, NULL},
	{"hpe-haswell", "bridges", RUNNING,
	 "rd.earlybind.bind=class=0604 vfio.enable_unsafe_noiommu_mode=1", NULL, NULL},
};

/* As "earlybind plan --json" writes it. */
static void write_plan(const struct run *run, struct json *json)
{
	json_open(json, NULL, '{');
	json_put_number(json, "schema", REPORT_SCHEMA);
	report_write_rules(&run->policy, &run->plan, json);
	json_open(json, "devices", '[');
	for (size_t i = 0; i < run->plan.device_count; i++)
		report_write_device(&run->plan.devices[i], NULL, json);
	json_close(json, ']');
	json_open(json, "groups", '[');
	for (size_t i = 0; i < run->plan.group_count; i++)
		report_write_group(&run->plan.groups[i], json);
	json_close(json, ']');
	report_write_problems(&run->policy, json);
	json_close(json, '}');
}

static void compare(const char *path, const struct json *json)
{
	size_t line = 1, n;
	char *want;
	FILE *file;

	if (getenv("GOLDEN") && strcmp(getenv("GOLDEN"), "write") == 0) {
		file = fopen(path, "w");
		if (!file || fwrite(json->buf, 1, json->used, file) != json->used)
			fail_msg("%s cannot be written", path);
		fclose(file);
		return;
	}
	want = calloc(1, PLAN_SIZE);
	assert_non_null(want);
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s is not there: make golden writes it", path);
	n = fread(want, 1, PLAN_SIZE - 1, file);
	fclose(file);
	for (size_t i = 0; i < n && i < json->used && want[i] == json->buf[i]; i++)
		line += want[i] == '\n';
	if (n != json->used || memcmp(want, json->buf, n) != 0)
		fail_msg("%s differs from line %zu on: make golden writes it anew", path,
			 line);
	free(want);
}

static void test_machine(void **state)
{
	const char *machine = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json json = {.buf = calloc(1, PLAN_SIZE), .size = PLAN_SIZE};
		struct run_options options = {.cmdline = text_of(cases[i].cmdline)};
		struct arena arena = test_arena((size_t)1024 * 1024);
		struct fake_world *w = fake_new();
		static struct run run;
		char path[256];

		if (strcmp(cases[i].machine, machine) == 0) {
			fake_load_machine(w, machine, cases[i].moment == RUNNING);
			w->modprobe_ids = cases[i].modprobe_ids;
			assert_int_equal(
				run_read_policy(&w->world, &arena, &options, &run), 0);
			if (cases[i].config)
				config_parse(&run.policy, SOURCE_CONFIG, TEXT("conf"),
					     text_of(cases[i].config));
			run.is_boot = cases[i].moment == BEFORE_UDEV;
			assert_int_equal(run_plan(&w->world, &arena, &run), 0);
			write_plan(&run, &json);
			assert_false(json.is_full);
			snprintf(path, sizeof(path), GOLDEN "/%s/%s.json", machine,
				 cases[i].name);
			compare(path, &json);
		}
		fake_free(w);
		test_arena_free(&arena);
		free(json.buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"test_alveo", test_machine, NULL, NULL, (void *)"alveo"},
		{"test_alveo_acs", test_machine, NULL, NULL, (void *)"alveo-acs"},
		{"test_hpe_haswell", test_machine, NULL, NULL, (void *)"hpe-haswell"},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
