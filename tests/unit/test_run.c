/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sources of a run: what is read, in which order it counts, what is lost and said. */
#include "test.h"

#include "fake_check.h"
#include "table.h"

static void assert_log(struct fake_world *w, const char *part)
{
	check_contains("log", w->log, part);
}

/* Runs with the options as given, on the Alveo machine. */
static int boot(struct fake_world *w, const struct run_options *options, struct run *run,
		struct arena *arena)
{
	*arena = test_arena((size_t)4 * 1024 * 1024);
	return run_boot(&w->world, arena, options, run);
}

static struct fake_world *alveo(const char *cmdline)
{
	struct fake_world *w = fake_new();

	fake_load_machine(w, "alveo", false);
	w->cmdline = cmdline;
	return w;
}

/* An option of the program wins over the command line of the machine. */
static void test_dry_run_cannot_be_forbidden(void **state unused)
{
	static const char *const lines[] = {"rd.earlybind.dry_run=0",
					    "rd.earlybind.dry_run=1", "quiet"};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct run_options options = {.cmdline = text_of(lines[i]),
					      .is_dry_run = true};
		struct fake_world *w = alveo(NULL);
		static struct run run;
		struct arena arena;

		w->modprobe_ids = "10ee:5000";
		assert_int_equal(boot(w, &options, &run, &arena), EXIT_ALL_BOUND);
		check_string(lines[i], w->trace, "");
		test_arena_free(&arena);
		fake_free(w);
	}
}

static void test_given_cmdline_replaces_the_machines(void **state unused)
{
	struct run_options options = {.cmdline = TEXT("vfio-pci.ids=10ee:5001")};
	struct fake_world *w = alveo("vfio-pci.ids=10ee:5000");
	static struct run run;
	struct arena arena;

	assert_int_equal(boot(w, &options, &run, &arena), EXIT_ALL_BOUND);
	assert_int_equal(run.plan.device_count, 1);
	assert_int_equal(run.plan.devices[0].device->bdf.function, 1);
	test_arena_free(&arena);
	fake_free(w);
}

static void test_cmdline_ids_replace_modprobe_d(void **state unused)
{
	static const struct {
		const char *cmdline;
		const char *planned;
	} cases[] = {
		{"quiet", "10ee:5001"},
		{"vfio-pci.ids=10ee:5000", "10ee:5000"},
		{"vfio-pci.ids=", ""},
		/* The kernel takes no value for one: what modprobe.d says stands. */
		{"vfio-pci.ids", "10ee:5001"},
		{"vfio-pci.ids=10ee:5001 vfio_pci.ids=10ee:5000", "10ee:5000"},
		{"vfio-pci.ids=10ee:5000 -- vfio_pci.ids=10ee:5001", "10ee:5000"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run_options options = {.is_dry_run = true};
		struct fake_world *w = alveo(cases[i].cmdline);
		char planned[16] = "";
		static struct run run;
		struct arena arena;

		w->modprobe_ids = "10ee:5001";
		(void)boot(w, &options, &run, &arena);
		if (run.plan.device_count > 0)
			snprintf(planned, sizeof(planned), "%04x:%04x",
				 run.plan.devices[0].device->ids.vendor,
				 run.plan.devices[0].device->ids.device);
		check_string(cases[i].cmdline, planned, cases[i].planned);
		check_true(cases[i].cmdline, run.plan.device_count <= 1);
		test_arena_free(&arena);
		fake_free(w);
	}
}

static void test_module_that_would_not_load(void **state unused)
{
	static const char ids[] = "10ee:5000";
	char *too_long = malloc(1200);
	char line[1400];

	assert_non_null(too_long);
	memset(too_long, ',', 1199);
	memcpy(too_long, ids, strlen(ids));
	too_long[1199] = '\0';
	snprintf(line, sizeof(line), "vfio-pci.ids=%s vfio-pci.ids=%s", too_long, ids);
	for (int i = 0; i < 3; i++) {
		struct fake_world *w =
			alveo(i == 0   ? line
			      : i == 1 ? "vfio-pci.ids=10ee:5000"
				       : "vfio-pci.ids=10ee:5000 vfio-pci.ids");
		struct run_options options = {0};
		static struct run run;
		struct arena arena;

		/* The kernel tries every value, also one that another replaces. */
		w->modprobe_ids = i == 1 ? too_long : NULL;
		(void)boot(w, &options, &run, &arena);
		check_contains(w->log, w->trace, "load vfio_pci ids=10ee:5000\n");
		assert_log(w, "[10ee:5000] bound to vfio-pci");
		test_arena_free(&arena);
		fake_free(w);
	}
	free(too_long);
}

static void test_table_that_is_lost(void **state unused)
{
	static const struct {
		size_t offset;
		const char *message;
	} cases[] = {
		{offsetof(struct table_section, magic), "it is damaged"},
		{offsetof(struct table_section, version), "it is of a newer version"},
		{offsetof(struct table_section, checksum), "it is damaged"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_world *w = alveo("vfio-pci.ids=10ee:5000");
		static struct table_section section;
		struct run_options options = {
			.table = {(const char *)&section, sizeof(section)}};
		static struct run run;
		struct arena arena;

		assert_int_equal(table_encode(TEXT("bind 10ee:5001\n"), &section), 0);
		((char *)&section)[cases[i].offset] ^= 6;
		/* What is left counts, but all is not well. */
		assert_int_equal(boot(w, &options, &run, &arena), EXIT_NOT_ALL);
		assert_log(w, "[10ee:5000] bound to vfio-pci");
		assert_log(w, cases[i].message);
		test_arena_free(&arena);
		fake_free(w);
	}
}

static void test_table_that_is_ignored(void **state unused)
{
	struct fake_world *w = alveo("rd.earlybind.table=0");
	struct fake_boot boot;

	fake_boot(w, "bind 10ee:*\n", &boot);
	assert_int_equal(boot.code, EXIT_ALL_BOUND);
	assert_string_equal(w->trace, "");
	fake_boot_free(&boot);
	fake_free(w);
}

static void test_modprobe_d_that_is_lost(void **state unused)
{
	struct fake_world *w = alveo("rd.earlybind.bind=10ee:5000");
	struct fake_boot boot;

	w->modprobe_error = -EIO;
	fake_boot(w, NULL, &boot);
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	assert_log(w, "[10ee:5000] bound to vfio-pci");
	assert_log(w, "modprobe.d cannot be read");
	/* Its ids= are not known: they must not reach the module. */
	check_contains("trace", w->trace, "load vfio_pci\n");
	fake_boot_free(&boot);
	fake_free(w);
}

static void test_modprobe_d_ids_that_are_endless(void **state unused)
{
	char *ids = malloc(JOB_TEXT_SIZE + 2);
	struct fake_world *w = alveo("rd.earlybind.bind=10ee:5000");
	struct fake_boot boot;

	assert_non_null(ids);
	memset(ids, ',', JOB_TEXT_SIZE + 1);
	ids[JOB_TEXT_SIZE + 1] = '\0';
	w->modprobe_ids = ids;
	fake_boot(w, NULL, &boot);
	assert_log(w, "ids= is longer than 4096 characters");
	assert_log(w, "[10ee:5000] bound to vfio-pci");
	check_contains("trace", w->trace, "load vfio_pci\n");
	fake_boot_free(&boot);
	fake_free(w);
	free(ids);
}

/* A line that fills the buffer is used as far as it goes. */
static void test_endless_cmdline(void **state unused)
{
	char *line = malloc(3000);
	struct fake_world *w;
	struct fake_boot boot;

	assert_non_null(line);
	memset(line, 'x', 2999);
	line[2999] = '\0';
	memcpy(line, "vfio-pci.ids=10ee:5000 ", 23);
	w = alveo(line);
	fake_boot(w, NULL, &boot);
	assert_log(w,
		   "bootconfig made the command line longer than a boot loader's may be");
	assert_log(w, "[10ee:5000] bound to vfio-pci");
	fake_boot_free(&boot);
	fake_free(w);
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dry_run_cannot_be_forbidden),
		cmocka_unit_test(test_given_cmdline_replaces_the_machines),
		cmocka_unit_test(test_cmdline_ids_replace_modprobe_d),
		cmocka_unit_test(test_module_that_would_not_load),
		cmocka_unit_test(test_table_that_is_lost),
		cmocka_unit_test(test_table_that_is_ignored),
		cmocka_unit_test(test_modprobe_d_that_is_lost),
		cmocka_unit_test(test_modprobe_d_ids_that_are_endless),
		cmocka_unit_test(test_endless_cmdline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
