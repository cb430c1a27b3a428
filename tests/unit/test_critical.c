/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Critical rules: what they guard, what lifts them, and what they cost. */
#include "machine.h"

#include "config.h"

#define CARD  "0000:01:00.0"
#define USB   "0000:00:14.0"
#define AUDIO "0000:02:00.1"

#define DISK "critical path=00:01.0/00.0+10ee:5000 storage / and swap on nvme0n1\n"
#define NET  "critical 01:00.0+10ee:5000 network the default route on eth0\n"
#define KEYS "critical 00:14.0+8086:a36d console the keyboard\n"

#define KEYS_2 "critical path=00:01.1/00.1+10de:228b console the other keyboard\n"

#define STORAGE_SENTENCE(what) \
	"the machine needs a disk on it (" what \
	") and cannot run without it: take it out of the rule, or add allow=storage " \
	"if you want that"
#define NETWORK_SENTENCE(what) \
	"the machine needs the network on it (" what \
	") and would be out of reach without it: take it out of the rule, or add " \
	"allow=network if you want that"
#define CONSOLE_SENTENCE(what) \
	"the local console would have no keyboard without it (" what \
	"): take it out of the rule, or add allow=console if you want that"

static void make_plan(struct machine *m, const char *cmdline, const char *table)
{
	struct run_options options = {.cmdline = text_of(cmdline)};

	assert_int_equal(run_read_policy(&m->w->world, &m->arena, &options, &m->run), 0);
	config_parse(&m->run.policy, SOURCE_TABLE, TEXT(""), text_of(table));
	assert_int_equal(m->run.policy.problem_count, 0);
	assert_int_equal(run_plan(&m->w->world, &m->arena, &m->run), 0);
}

static void finish(struct machine *m)
{
	assert_string_equal(m->w->trace, "");
	machine_free(m);
}

/* The action for a device, or the sentence of its refusal; "" where no rule names it. */
static const char *planned(const struct machine *m, const char *address)
{
	static char message[REASON_MESSAGE_SIZE];

	for (size_t i = 0; i < m->run.plan.device_count; i++) {
		const struct plan_device *pd = &m->run.plan.devices[i];
		char name[BDF_SIZE];

		if (strcmp(bdf_format(pd->device->bdf, name), address) == 0)
			return pd->action == ACTION_REFUSE
				       ? reason_message(pd->reason, pd->detail, message)
				       : action_name(pd->action);
	}
	return "";
}

static const struct {
	const char *name;
	const char *cmdline;
	const char *table;
	const char *address;
	const char *want;
} cases[] = {
	{"binds nothing", "quiet", DISK NET KEYS, CARD, ""},
	{"ids=", "vfio-pci.ids=10ee:5000", DISK, CARD,
	 STORAGE_SENTENCE("/ and swap on nvme0n1")},
	{"ids=, lifted by another rule",
	 "vfio-pci.ids=10ee:5000 rd.earlybind.bind=01:00.0;allow=storage", DISK, CARD,
	 "bind"},
	{"lifted", "quiet", DISK "bind 01:00.0 allow=storage\n", CARD, "bind"},
	{"the wrong one lifts nothing", "quiet",
	 DISK "bind 01:00.0 allow=console,network\n", CARD,
	 STORAGE_SENTENCE("/ and swap on nvme0n1")},
	{"what is left of two", "quiet", DISK NET "bind 01:00.0 allow=storage\n", CARD,
	 NETWORK_SENTENCE("the default route on eth0")},
	{"both lifted", "quiet", DISK NET "bind 01:00.0 allow=storage,network\n", CARD,
	 "bind"},
	{"the keyboard", "quiet", KEYS "bind 00:14.0\n", USB,
	 CONSOLE_SENTENCE("the keyboard")},
	{"the keyboard, lifted", "quiet", KEYS "bind 00:14.0 allow=console\n", USB,
	 "bind"},
	{"one of two keyboards", "quiet", KEYS KEYS_2 "bind 00:14.0\n", USB, "bind"},
	{"the other one", "quiet", KEYS KEYS_2 "bind 02:00.1\n", AUDIO, "bind"},
	{"the last of two", "quiet", KEYS KEYS_2 "bind 00:14.0,02:00.1\n", AUDIO,
	 CONSOLE_SENTENCE("the other keyboard")},
	{"the last of two, lifted", "quiet",
	 KEYS KEYS_2 "bind 00:14.0\nbind 02:00.1 allow=console\n", AUDIO, "bind"},
	{"the other one is not there", "quiet",
	 KEYS "critical path=00:01.1/00.1+10de:0001 console x\nbind 00:14.0\n", USB,
	 CONSOLE_SENTENCE("the keyboard")},
	{"the other one is kept", "quiet",
	 KEYS KEYS_2 "bind 00:14.0,02:00.1\nkeep 02:00.1\n", USB, "bind"},
	{"by hand", "quiet",
	 "#: /etc/earlybind.conf:3\ncritical 00:14.0 storage\nbind 00:14.0\n", USB,
	 STORAGE_SENTENCE("/etc/earlybind.conf:3")},
	{"its neighbour", "quiet", DISK "bind 01:00.1\n", "0000:01:00.1", "bind"},
	{"another ID at its path", "quiet",
	 "critical path=00:01.0/00.0+10de:2489 storage /\nbind 01:00.0\n", CARD, "bind"},
	{"nothing at its path", "quiet",
	 "critical path=00:1d.0/00.0+10ee:5000 storage /\nbind 01:00.0\n", CARD, "bind"},
	{"no such device", "quiet",
	 "critical 7f:00.0+10ee:5000 storage /\nbind 01:00.0\n", CARD, "bind"},
	{"keep wins", "quiet", DISK "keep 01:00.0\nbind 01:00.0\n", CARD, "keep"},
	{"of a profile", "quiet", "bind 01:00.0\n[profile p]\n" DISK, CARD, "bind"},
	{"of the profile", "rd.earlybind.profile=p", "bind 01:00.0\n[profile p]\n" DISK,
	 CARD, STORAGE_SENTENCE("/ and swap on nvme0n1")},
	{"not what was recorded", "rd.earlybind.critical=none",
	 "bind 01:00.0\n#: " RECORDED ":1\n" DISK, CARD, "bind"},
	{"but what was written", "rd.earlybind.critical=none",
	 "bind 01:00.0\n#: c:1\n" DISK, CARD, STORAGE_SENTENCE("/ and swap on nvme0n1")},
	{"the command line wins", "rd.earlybind.critical=recorded",
	 "option critical=none\nbind 01:00.0\n#: " RECORDED ":1\n" DISK, CARD,
	 STORAGE_SENTENCE("/ and swap on nvme0n1")},
	{"before the IOMMU", "quiet", DISK "bind 01:00.0\n", CARD,
	 STORAGE_SENTENCE("/ and swap on nvme0n1")},
};

static void test_cases(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(false);

		if (strcmp(cases[i].name, "before the IOMMU") == 0)
			m->w->is_without_iommu = true;
		make_plan(m, cases[i].cmdline, cases[i].table);
		check_string(cases[i].name, planned(m, cases[i].address), cases[i].want);
		finish(m);
	}
}

/* The module is not given ids= that match a critical device: it would take it. */
static void test_module(void **state unused)
{
	struct machine *m = machine_new(false);

	make_plan(m, "vfio-pci.ids=10ee:5000", "");
	assert_true(m->run.plan.is_ids_safe);
	finish(m);
	m = machine_new(false);
	make_plan(m, "vfio-pci.ids=10ee:5000", DISK);
	assert_false(m->run.plan.is_ids_safe);
	finish(m);
}

/* Nothing is read of a device that no rule wants, and no path where the ID differs. */
static void test_cost(void **state unused)
{
	struct machine *m = machine_new(false);

	make_plan(m, "quiet", DISK NET KEYS "bind 01:00.1\n");
	assert_int_equal(m->run.plan.device_count, 1);
	for (size_t i = 0; i < m->run.inventory.count; i++)
		check_int("known", m->run.inventory.devices[i].known, 0);
	finish(m);
	m = machine_new(false);
	make_plan(m, "quiet", DISK "bind 10ee:*\n");
	for (size_t i = 0; i < m->run.inventory.count; i++) {
		const struct pci_device *d = &m->run.inventory.devices[i];

		check_int("known", d->known, d->ids.device == 0x5000 ? FACT_PATH : 0);
	}
	finish(m);
}

/* A whole boot: the disk keeps its driver, the rest is bound, and the report says why. */
static void test_boot(void **state unused)
{
	static const char table[] = "bind 10ee:*\n#: " RECORDED ":1\n" DISK;
	struct machine *m = machine_new(false);
	struct fake_boot boot;

	fake_boot(m->w, table, &boot);
	assert_null(fake_check(m->w, &boot));
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	check_string("driver", fake_driver_of(fake_find_device(&m->w->bus, CARD)), "");
	check_string("driver",
		     fake_driver_of(fake_find_device(&m->w->bus, "0000:01:00.1")),
		     "vfio-pci");
	check_contains("log", m->w->log, STORAGE_SENTENCE("/ and swap on nvme0n1"));
	fake_boot_free(&boot);
	/* And when it is plugged in again. */
	m->w->trace[0] = '\0';
	fake_late(m->w, table, CARD, false, &boot);
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	check_string("driver", fake_driver_of(fake_find_device(&m->w->bus, CARD)), "");
	fake_boot_free(&boot);
	m->w->trace[0] = '\0';
	finish(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_module),
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
