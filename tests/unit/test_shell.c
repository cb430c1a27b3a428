/* SPDX-License-Identifier: GPL-2.0-or-later */
/* on-failure=shell: when the image is asked for its shell, and with which line. */
#include "test.h"

#include "fake_check.h"
#include "run.h"

#define CARD   "0000:01:00.0"
#define CARD_1 "0000:01:00.1"
#define SHELL  "rd.earlybind.on_failure=shell "
#define RULE   "rd.earlybind.bind=01:00.0;on-failure=shell "
#define GO_ON  "; \"dmesg\" says more, \"exit\" goes on with the boot"

enum trouble {
	TROUBLE_NONE,
	TROUBLE_REFUSED, /* by vfio-pci: it is given back */
	TROUBLE_IOMMU, /* nothing is touched */
	TROUBLE_STUCK,
	TROUBLE_MODULE,
	TROUBLE_BUS,
};

static void make(struct fake_world *w, enum trouble trouble)
{
	struct fake_driver *driver = fake_find_driver(&w->bus, "xclmgmt");
	struct fake_device *card = fake_find_device(&w->bus, CARD);

	switch (trouble) {
	case TROUBLE_NONE:
		return;
	case TROUBLE_REFUSED:
		card->vfio_error = -EINVAL;
		return;
	case TROUBLE_IOMMU:
		w->is_without_iommu = true;
		return;
	case TROUBLE_STUCK:
		driver->state = DRIVER_REGISTERED;
		driver->remove_time = FAKE_FOREVER;
		fake_bind_now(card, driver);
		return;
	case TROUBLE_MODULE:
		fake_find_module(w, "vfio_pci")->state = MODULE_IS_MISSING;
		return;
	case TROUBLE_BUS:
		w->is_without_bus = true;
		return;
	}
}

static const char *line_of(const struct fake_world *w)
{
	const struct fake_file *file = fake_find_file(w, WORLD_RUN, RUN_OWN SHELL_NAME);

	return file ? file->bytes : "";
}

static void test_when(void **state unused)
{
	static const struct {
		const char *cmdline, *table;
		enum trouble trouble;
		int code;
		const char *
			line; /* between "not bound: " and how to go on; "" for no shell */
	} cases[] = {
		{SHELL "vfio-pci.ids=10ee:5000", NULL, TROUBLE_NONE, EXIT_ALL_BOUND, ""},
		{SHELL "vfio-pci.ids=10ee:5000", NULL, TROUBLE_REFUSED, EXIT_SHELL,
		 CARD " (bind-refused)"},
		{"vfio-pci.ids=10ee:5000", NULL, TROUBLE_REFUSED, EXIT_NOT_ALL, ""},
		{SHELL "vfio-pci.ids=10ee:5000,10ee:5001", NULL, TROUBLE_IOMMU,
		 EXIT_SHELL, CARD " (iommu-off), " CARD_1 " (iommu-off)"},
		{SHELL "vfio-pci.ids=10ee:5000 rd.earlybind.recovery_timeout=2", NULL,
		 TROUBLE_STUCK, EXIT_SHELL, CARD " (stuck)"},
		{SHELL "vfio-pci.ids=10ee:5000", NULL, TROUBLE_MODULE, EXIT_SHELL,
		 CARD " (no-vfio)"},
		/* By the rule: only where it is the one that was not met. */
		{RULE "vfio-pci.ids=10ee:5001", NULL, TROUBLE_REFUSED, EXIT_SHELL,
		 CARD " (bind-refused)"},
		{"rd.earlybind.bind=01:00.1;on-failure=shell vfio-pci.ids=10ee:5000",
		 NULL, TROUBLE_REFUSED, EXIT_NOT_ALL, ""},
		{SHELL "rd.earlybind.bind=01:00.0;on-failure=restore", NULL,
		 TROUBLE_REFUSED, EXIT_NOT_ALL, ""},
		{"", "option on-failure=shell\nbind 01:00.0\n", TROUBLE_REFUSED,
		 EXIT_SHELL, CARD " (bind-refused)"},
		{"rd.earlybind.on_failure=restore",
		 "option on-failure=shell\nbind 01:00.0\n", TROUBLE_REFUSED, EXIT_NOT_ALL,
		 ""},
		/* A rule that names nothing. */
		{RULE "rd.earlybind.bind=1234:*;on-failure=shell", NULL, TROUBLE_NONE,
		 EXIT_SHELL, "1234:* (missing)"},
		{"rd.earlybind.bind=1234:*;on-failure=shell;optional", NULL, TROUBLE_NONE,
		 EXIT_ALL_BOUND, ""},
		{"", "bind 01:00.0\n[profile x]\nbind 1234:* on-failure=shell\n",
		 TROUBLE_NONE, EXIT_ALL_BOUND, ""},
		{RULE, NULL, TROUBLE_BUS, EXIT_SHELL, "01:00.0 (no-sysfs)"},
		/* What stays where it is by a keep rule was not to be bound. */
		{SHELL "vfio-pci.ids=10ee:5000", "keep 01:00.0\n", TROUBLE_NONE,
		 EXIT_ALL_BOUND, ""},
		{RULE "rd.earlybind.dry_run=1", NULL, TROUBLE_IOMMU, EXIT_NOT_ALL, ""},
		{RULE "rd.shell=1 panic=10", NULL, TROUBLE_REFUSED, EXIT_SHELL,
		 CARD " (bind-refused)"},
		{RULE "rd.shell=0", NULL, TROUBLE_REFUSED, EXIT_NOT_ALL, ""},
		{RULE "rd.shell=no", NULL, TROUBLE_REFUSED, EXIT_NOT_ALL, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_world *w = fake_new();
		char want[512] = "";
		struct fake_boot boot;

		fake_load_machine(w, "alveo", false);
		w->cmdline = cases[i].cmdline;
		make(w, cases[i].trouble);
		fake_boot(w, cases[i].table, &boot);
		check_int(cases[i].cmdline, boot.code, cases[i].code);
		if (cases[i].line[0] != '\0')
			snprintf(want, sizeof(want),
				 "on-failure=shell: not bound: %s" GO_ON, cases[i].line);
		check_contains(cases[i].cmdline, w->log, want);
		if (want[0] != '\0')
			strcat(want, "\n");
		check_string(cases[i].cmdline, line_of(w), want);
		/* As with restore: nothing is held. */
		if (cases[i].trouble == TROUBLE_REFUSED)
			check_true(cases[i].cmdline,
				   !fake_find_device(&w->bus, CARD)->has_override);
		fake_boot_free(&boot);
		fake_free(w);
	}
}

/* Who says that nobody gets a shell is told why there is none. */
static void test_forbidden(void **state unused)
{
	static const struct {
		const char *cmdline;
		bool is_pid1;
		int code;
		const char *log;
	} cases[] = {
		{RULE "rd.shell=0", false, EXIT_NOT_ALL,
		 "<4>on-failure=shell: no shell, the boot goes on: rd.shell=0 on the kernel "
		 "command line forbids it"},
		{RULE "panic=10", true, EXIT_NOT_ALL,
		 "<4>on-failure=shell: no shell, the boot goes on: panic= on the kernel "
		 "command line forbids it"},
		{RULE "panic=10 panic=", true, EXIT_SHELL,
		 "<3>on-failure=shell: not bound"},
		{RULE "panic=10 -- rd.shell=0", false, EXIT_SHELL,
		 "<3>on-failure=shell: not bound"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = test_arena((size_t)4 * 1024 * 1024);
		struct run_options options = {.is_pid1 = cases[i].is_pid1};
		struct fake_world *w = fake_new();
		static struct run run;

		fake_load_machine(w, "alveo", false);
		w->cmdline = cases[i].cmdline;
		make(w, TROUBLE_REFUSED);
		check_int(cases[i].cmdline, run_boot(&w->world, &arena, &options, &run),
			  cases[i].code);
		check_contains(cases[i].cmdline, w->log, cases[i].log);
		test_arena_free(&arena);
		fake_free(w);
	}
}

/* PID 1 has opened it, or somebody runs the binder by hand in that very shell. */
static void test_once_in_a_boot(void **state unused)
{
	static const struct {
		enum world_root root;
		const char *path;
	} places[] = {
		{WORLD_RUN, RUN_OWN SHELL_NAME},
		{WORLD_DEV, WORLD_DEV_DIR "/" SHELL_NAME},
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct fake_world *w = fake_new();
		struct fake_boot boot;

		fake_load_machine(w, "alveo", false);
		w->cmdline = RULE;
		make(w, TROUBLE_REFUSED);
		fake_put_file(w, places[i].root, places[i].path, TEXT("before"));
		fake_boot(w, NULL, &boot);
		check_int(places[i].path, boot.code, EXIT_NOT_ALL);
		check_contains(places[i].path, w->log,
			       "on-failure=shell: no shell, there was one in this boot");
		fake_boot_free(&boot);
		fake_free(w);
	}
}

/* The hook goes by the exit code; the line for a unit of systemd cannot be left. */
static void test_without_run(void **state unused)
{
	struct fake_world *w = fake_new();
	struct fake_boot boot;

	fake_load_machine(w, "alveo", false);
	w->cmdline = RULE;
	w->publish_error = -EROFS;
	make(w, TROUBLE_REFUSED);
	fake_boot(w, NULL, &boot);
	assert_int_equal(boot.code, EXIT_SHELL);
	check_contains("log", w->log,
		       "<4>on-failure=shell: an image with systemd opens no shell: ");
	fake_boot_free(&boot);
	fake_free(w);
}

/* A late device has no console in front of it. */
static void test_late_device(void **state unused)
{
	struct fake_world *w = fake_new();
	struct fake_boot boot;

	fake_load_machine(w, "alveo", false);
	w->cmdline = RULE;
	make(w, TROUBLE_REFUSED);
	fake_late(w, NULL, CARD, false, &boot);
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	check_string("line", line_of(w), "");
	fake_boot_free(&boot);
	fake_free(w);
}

static void test_many_devices(void **state unused)
{
	struct fake_world *w = fake_new();
	struct fake_boot boot;

	w->cmdline = SHELL "rd.earlybind.bind=10ee:*";
	w->is_without_iommu = true;
	for (int i = 0; i < 12; i++) {
		struct pci_ids ids = {.vendor = 0x10ee, .device = 1, .class = 0x120000};
		char address[BDF_SIZE];

		snprintf(address, sizeof(address), "0000:%02x:00.0", i + 1);
		(void)fake_add_device(&w->bus, address, ids, FAKE_NO_GROUP);
	}
	fake_boot(w, NULL, &boot);
	assert_int_equal(boot.code, EXIT_SHELL);
	check_contains("line", line_of(w),
		       "0000:08:00.0 (iommu-off) and 4 more; \"dmesg");
	fake_boot_free(&boot);
	fake_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_once_in_a_boot),
		cmocka_unit_test(test_without_run),
		cmocka_unit_test(test_late_device),
		cmocka_unit_test(test_many_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
