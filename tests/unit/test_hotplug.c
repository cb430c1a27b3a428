/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that appear after the boot's run: what it leaves for them, and what comes of them. */
#include "test.h"

#include "fake_check.h"
#include "hotplug.h"

#define CARD   "0000:01:00.0"
#define CARD_1 "0000:01:00.1"
#define SLOW   ((uint64_t)2 * FAKE_SECOND)

/* The Alveo machine, its card not plugged in yet. */
static struct fake_world *without_card(const char *cmdline)
{
	struct fake_world *w = fake_new();

	fake_load_machine(w, "alveo", false);
	fake_find_device(&w->bus, CARD)->is_present = false;
	fake_find_device(&w->bus, CARD_1)->is_present = false;
	w->cmdline = cmdline;
	return w;
}

static struct fake_device *absent(struct fake_world *w, unsigned function)
{
	for (size_t i = 0; i < w->bus.device_count; i++)
		if (w->bus.devices[i].ids.vendor == 0x10ee &&
		    w->bus.devices[i].bdf.function == function)
			return &w->bus.devices[i];
	fail_msg("no card");
	return NULL;
}

static const char *published(struct fake_world *w, const char *path)
{
	const struct fake_file *file = fake_find_file(w, WORLD_RUN, path);

	return file ? file->bytes : "(none)";
}

static void boot(struct fake_world *w, const char *table)
{
	struct fake_boot boot;

	fake_boot(w, table, &boot);
	fake_boot_free(&boot);
	w->trace[0] = '\0';
	w->log[0] = '\0';
	w->report[0] = '\0';
}

/* Runs for @address; what must always hold, does. */
static int late(struct fake_world *w, const char *address, bool is_synthetic)
{
	struct fake_boot boot;
	const char *message;

	/* As in the real root: its binder has no table. */
	fake_late(w, NULL, address, is_synthetic, &boot);
	message = boot.run.report.plan ? fake_check(w, &boot) : NULL;
	if (message && w->trace[0])
		fail_msg("%s\n%s%s", message, w->trace, w->log);
	fake_boot_free(&boot);
	return boot.code;
}

static void test_what_a_boot_leaves(void **state unused)
{
	struct fake_world *w = without_card("rd.earlybind.bind=02:00.0;allow=console");

	w->modprobe_ids = "10ee:5001";
	fake_put_file(w, WORLD_ETC, "cmdline.d/20-vfio.conf",
		      TEXT("rd.earlybind.bind=class=12;optional rd.earlybind.timeout=4"));
	fake_put_file(w, WORLD_ETC, "cmdline", TEXT("rd.earlybind.profile=p"));
	boot(w, "#: /etc/earlybind.conf:3\nbind 10ee:5000 on-failure=hold\n"
		"#: /etc/earlybind.conf:4\nkeep 02:00.1\n"
		"[profile q]\nbind 01:00.0\n[profile p]\nbind 01:00.1\n");
	assert_string_equal(published(w, "earlybind/rules"),
			    "option timeout=4 recovery-timeout=90 on-failure=restore\n"
			    "#: /etc/cmdline.d/20-vfio.conf:0\nbind class=12 optional\n"
			    "#: /etc/earlybind.conf:3\nbind 10ee:5000 on-failure=hold\n"
			    "#: /etc/earlybind.conf:4\nkeep 02:00.1\n"
			    "#: :8\nbind 01:00.1\n");
	assert_string_equal(published(w, "earlybind/judged"),
			    "0000:02:00.0 10de:2489 bound\n"
			    "0000:02:00.1 10de:228b kept\n");
	check_contains("udev", published(w, "udev/rules.d/00-earlybind.rules"),
		       "KERNEL==\"0000:02:00.0\", GOTO");
	check_contains("udev", published(w, "udev/rules.d/00-earlybind.rules"),
		       "pci:v000010EEd00005001sv");
	fake_free(w);
}

static void test_boots_that_leave_nothing(void **state unused)
{
	static const char *const lines[] = {
		"quiet", "vfio-pci.ids=10ee:5000 rd.earlybind=0",
		"vfio-pci.ids=10ee:5000 rd.earlybind.dry_run=1"};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct fake_world *w = without_card(lines[i]);

		boot(w, NULL);
		check_string(lines[i], published(w, "earlybind/rules"), "(none)");
		check_string(lines[i], published(w, "udev/rules.d/00-earlybind.rules"),
			     "(none)");
		check_true(lines[i], !hotplug_has_rules(&w->world));
		fake_free(w);
	}
}

/* Whichever source names the device, and however it comes. */
static void test_device_that_appears(void **state unused)
{
	static const struct {
		const char *cmdline, *file, *table;
	} sources[] = {
		{"vfio-pci.ids=10ee:5000", NULL, NULL},
		{"rd.earlybind.bind=01:00.*", NULL, NULL},
		{"quiet", "vfio-pci.ids=10ee:5000", NULL},
		{"quiet", NULL, "bind 10ee:*\n"},
		{"rd.earlybind.profile=p", NULL, "[profile p]\nbind 10ee:*\n"},
	};
	static const char *const natives[] = {NULL, "xclmgmt"};
	static const uint64_t delays[] = {0, 1000, SLOW};
	static const enum fake_kernel kernels[] = {FAKE_5_10, FAKE_6_1, FAKE_7_1};

	for (size_t i = 0; i < ARRAY_SIZE(sources) * 2 * 3 * 3; i++) {
		const char *native = natives[i % 2];
		struct fake_world *w;
		char label[64];

		snprintf(label, sizeof(label), "case %zu", i);
		w = without_card(sources[i / 18].cmdline);
		w->bus.kernel = kernels[i / 6 % 3];
		if (sources[i / 18].file)
			fake_put_file(w, WORLD_ETC, "cmdline",
				      text_of(sources[i / 18].file));
		boot(w, sources[i / 18].table);
		if (native)
			fake_find_driver(&w->bus, native)->state = DRIVER_REGISTERED;
		/* The image is gone, and with it dracut's files. */
		if (sources[i / 18].file)
			fake_put_file(w, WORLD_ETC, "cmdline", TEXT(""));
		fake_plug(&w->bus, absent(w, 0), delays[i / 2 % 3]);
		check_int(label, late(w, CARD, false), EXIT_ALL_BOUND);
		check_string(label, fake_driver_of(absent(w, 0)), "vfio-pci");
		check_contains(label, w->log, "[10ee:5000] bound to vfio-pci");
		check_contains(label, w->report, "\"late\": true");
		check_contains(label, published(w, "earlybind/devices/" CARD ".verdict"),
			       CARD " 10ee:5000 bound\n");
		check_true(label,
			   strlen(published(w, "earlybind/devices/" CARD ".json")) > 100);
		/* Its ids= would take others. */
		check_true(w->trace, !strstr(w->trace, "ids="));
		fake_free(w);
	}
}

/* Neither vfio is asked about the group nor other rules are complained about once more. */
static void test_what_is_not_said(void **state unused)
{
	struct fake_world *w = without_card("rd.earlybind.bind=10ee:*,9999:9999 "
					    "rd.earlybind.bind=nonsense");

	w->has_group_files = true;
	boot(w, NULL);
	fake_plug(&w->bus, absent(w, 0), 0);
	assert_int_equal(late(w, CARD, false), EXIT_ALL_BOUND);
	assert_null(strstr(w->log, "9999"));
	assert_null(strstr(w->log, "nonsense"));
	check_contains("report", w->report, "\"id\": 1,");
	check_contains("report", w->report, "\"kernel\": null");
	fake_free(w);
}

/* The driver grabbed it at once, before the binder came. */
static void test_device_that_was_grabbed(void **state unused)
{
	struct fake_world *w = without_card("vfio-pci.ids=10ee:5000");

	boot(w, NULL);
	fake_find_driver(&w->bus, "xclmgmt")->state = DRIVER_REGISTERED;
	fake_plug(&w->bus, absent(w, 0), 0);
	fake_run(&w->bus, w->bus.now + 1000, NULL);
	assert_string_equal(fake_driver_of(absent(w, 0)), "xclmgmt");
	/* Made up by udevadm trigger: somebody may want it so. */
	assert_int_equal(late(w, CARD, true), EXIT_ALL_BOUND);
	assert_string_equal(w->trace, "");
	assert_string_equal(published(w, "earlybind/devices/" CARD ".json"), "(none)");
	assert_string_equal(fake_driver_of(absent(w, 0)), "xclmgmt");
	assert_int_equal(late(w, CARD, false), EXIT_ALL_BOUND);
	check_contains("log", w->log, "bound to vfio-pci (was xclmgmt)");
	fake_free(w);
}

/* Two functions of a card at once: each run touches its own. */
static void test_two_functions(void **state unused)
{
	struct fake_world *w = without_card("vfio-pci.ids=10ee:5000,10ee:5001");

	boot(w, NULL);
	fake_find_driver(&w->bus, "xocl")->state = DRIVER_REGISTERED;
	fake_plug(&w->bus, absent(w, 0), 1000);
	fake_plug(&w->bus, absent(w, 1), 1000);
	assert_int_equal(late(w, CARD, false), EXIT_ALL_BOUND);
	assert_null(strstr(w->trace, CARD_1));
	assert_string_equal(fake_driver_of(absent(w, 1)), "xocl");
	assert_int_equal(late(w, CARD_1, false), EXIT_ALL_BOUND);
	assert_string_equal(fake_driver_of(absent(w, 0)), "vfio-pci");
	assert_string_equal(fake_driver_of(absent(w, 1)), "vfio-pci");
	fake_free(w);
}

/*
 * Found together with another device whose driver takes its time: the kernel adds one after the
 * other, and lets no driver at the second one before the first one's probe is over.
 */
static void test_late_sibling(void **state unused)
{
	static const uint64_t seconds[] = {4, 7, 30, 80};

	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		struct fake_world *w = without_card("vfio-pci.ids=10ee:5001");
		char label[32];

		snprintf(label, sizeof(label), "%u s", (unsigned)seconds[i]);
		boot(w, NULL);
		fake_find_driver(&w->bus, "xocl")->state = DRIVER_REGISTERED;
		fake_plug(&w->bus, absent(w, 1), seconds[i] * FAKE_SECOND);
		check_int(label, late(w, CARD_1, false), EXIT_ALL_BOUND);
		check_string(label, fake_driver_of(absent(w, 1)), "vfio-pci");
		check_true(label, !absent(w, 1)->was_native);
		fake_free(w);
	}
}

/*
 * A rule names one function and wants the card: the other one is found whichever comes first,
 * and what no rule wants is left alone.
 */
static void test_companion(void **state unused)
{
	struct fake_world *w = without_card("");

	boot(w,
	     "bind 10ee:5000 with=functions\nbind 01:00.1+1234:* with=group optional\n");
	assert_string_equal(published(w, "earlybind/rules"),
			    "option timeout=10 recovery-timeout=90 on-failure=restore\n"
			    "#: :1\nbind 10ee:5000 with=functions\n"
			    "#: :2\nbind 01:00.1+1234:* optional with=group\n");
	fake_find_driver(&w->bus, "xocl")->state = DRIVER_REGISTERED;
	fake_plug(&w->bus, absent(w, 0), 1000);
	fake_plug(&w->bus, absent(w, 1), 1000);
	assert_int_equal(late(w, CARD_1, false), EXIT_NOT_ALL);
	check_contains("mismatch", w->log, "another device sits in this place");
	fake_free(w);

	w = without_card("rd.earlybind.log=debug");
	boot(w, "bind 10ee:5000 with=functions\n");
	fake_find_driver(&w->bus, "xocl")->state = DRIVER_REGISTERED;
	fake_plug(&w->bus, absent(w, 0), 1000);
	fake_plug(&w->bus, absent(w, 1), 1000);
	assert_int_equal(late(w, CARD_1, false), EXIT_ALL_BOUND);
	assert_string_equal(fake_driver_of(absent(w, 1)), "vfio-pci");
	check_contains("report", w->report, "\"late\": true");
	assert_int_equal(late(w, CARD, false), EXIT_ALL_BOUND);
	assert_string_equal(fake_driver_of(absent(w, 0)), "vfio-pci");
	w->log[0] = '\0';
	assert_int_equal(late(w, "0000:02:00.1", false), EXIT_ALL_BOUND);
	assert_string_equal(w->log, "");
	assert_int_equal(late(w, "0000:00:01.0", false), EXIT_ALL_BOUND);
	/* Only its card and its group are asked, however large the machine is. */
	for (unsigned i = 0; i < 40; i++) {
		char address[BDF_SIZE];

		bdf_format((struct bdf){0, (uint8_t)(0x40 + i), 0, 0}, address);
		(void)fake_add_device(&w->bus, address,
				      (struct pci_ids){0x1234, 1, 0, 0, 0x120000},
				      (int)(50 + i));
	}
	w->accesses = 0;
	assert_int_equal(late(w, "0000:40:00.0", false), EXIT_ALL_BOUND);
	assert_true(w->accesses < 40);
	fake_free(w);

	/* One of its group that a rule names is there, but kept. */
	w = without_card("rd.earlybind.log=debug");
	boot(w, "bind 02:00.1 with=group\nkeep 02:00.*\n");
	fake_plug(&w->bus, absent(w, 0), 1000);
	w->log[0] = '\0';
	assert_int_equal(late(w, CARD, false), EXIT_ALL_BOUND);
	assert_string_equal(w->log, "");
	fake_free(w);
}

/* What the run for the other function does meanwhile: it loads the module and binds. */
static void other_run(struct fake_bus *bus, void *arg)
{
	struct fake_world *w = arg;
	struct fake_device *d = absent(w, 1);

	strcpy(d->override, "vfio-pci");
	d->has_override = true;
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_LIVE;
	(void)fake_start(bus, OP_REGISTER, NULL, fake_find_driver(bus, "vfio-pci"));
}

static void test_two_runs_at_once(void **state unused)
{
	for (uint64_t at = 0; at < 6000; at += 50) {
		struct fake_world *w = without_card("vfio-pci.ids=10ee:5000,10ee:5001");
		char label[32];

		snprintf(label, sizeof(label), "at %llu us", (unsigned long long)at);
		boot(w, NULL);
		fake_plug(&w->bus, absent(w, 0), 0);
		fake_plug(&w->bus, absent(w, 1), 0);
		fake_at(&w->bus, w->bus.now + at, other_run, w);
		check_int(label, late(w, CARD, false), EXIT_ALL_BOUND);
		check_string(label, fake_driver_of(absent(w, 0)), "vfio-pci");
		check_true(label, !strstr(w->trace, CARD_1));
		fake_free(w);
	}
}

static void test_synthetic_events(void **state unused)
{
	struct fake_world *w = without_card("rd.earlybind.bind=10ee:*");
	struct fake_device *d = absent(w, 0);

	/* It trained too late for the binder, but before udev: bound. */
	boot(w, NULL);
	fake_plug(&w->bus, d, 0);
	fake_run(&w->bus, w->bus.now + 1000, NULL);
	assert_int_equal(late(w, CARD, true), EXIT_ALL_BOUND);
	assert_string_equal(fake_driver_of(d), "vfio-pci");
	/* Somebody gave it free by hand: triggering everything changes nothing. */
	fake_bind_now(d, NULL);
	d->has_override = false;
	w->trace[0] = '\0';
	assert_int_equal(late(w, CARD, true), EXIT_ALL_BOUND);
	assert_string_equal(w->trace, "");
	/* Pulled and plugged: a new device. */
	fake_vanish(&w->bus, d);
	fake_plug(&w->bus, d, 0);
	assert_int_equal(late(w, CARD, false), EXIT_ALL_BOUND);
	assert_string_equal(fake_driver_of(d), "vfio-pci");
	fake_free(w);
}

/* What the boot could not bind, the coldplug of the initramfs does not try once more. */
static void test_judged_at_boot(void **state unused)
{
	struct fake_world *w = fake_new();

	fake_load_machine(w, "alveo", false);
	w->cmdline = "rd.earlybind.bind=10ee:*";
	fake_find_device(&w->bus, CARD)->vfio_error = -EINVAL;
	boot(w, NULL);
	check_contains("judged", published(w, "earlybind/judged"),
		       CARD " 10ee:5000 restored\n");
	assert_int_equal(late(w, CARD, true), EXIT_ALL_BOUND);
	assert_string_equal(w->trace, "");
	/* Another device there is a new one. */
	fake_find_device(&w->bus, CARD)->ids.device = 0x5004;
	fake_find_device(&w->bus, CARD)->vfio_error = 0;
	assert_int_equal(late(w, CARD, true), EXIT_ALL_BOUND);
	assert_string_equal(fake_driver_of(fake_find_device(&w->bus, CARD)), "vfio-pci");
	fake_free(w);
}

/* A device that the kernel is stuck with is never touched again, whatever the event. */
static void test_stuck(void **state unused)
{
	struct fake_world *w = fake_new();

	fake_load_machine(w, "alveo", false);
	w->cmdline = "rd.earlybind.bind=10ee:5000 rd.earlybind.recovery_timeout=2";
	fake_find_driver(&w->bus, "xclmgmt")->state = DRIVER_REGISTERED;
	fake_find_driver(&w->bus, "xclmgmt")->remove_time = FAKE_FOREVER;
	fake_bind_now(fake_find_device(&w->bus, CARD),
		      fake_find_driver(&w->bus, "xclmgmt"));
	boot(w, NULL);
	check_contains("judged", published(w, "earlybind/judged"), "stuck");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(late(w, CARD, i), EXIT_NOT_ALL);
		assert_string_equal(w->trace, "");
		check_contains("log", w->log, "is left alone: the kernel is stuck");
	}
	fake_free(w);
}

static void test_not_concerned(void **state unused)
{
	struct fake_world *w = without_card("rd.earlybind.bind=10ee:5000");

	boot(w, NULL);
	fake_plug(&w->bus, absent(w, 1), 0);
	assert_int_equal(late(w, CARD_1, false), EXIT_ALL_BOUND);
	assert_string_equal(w->trace, "");
	assert_string_equal(w->log, "");
	/* It is not there, or no more. */
	w->log[0] = '\0';
	assert_int_equal(late(w, CARD, false), EXIT_NOT_ALL);
	assert_string_equal(w->log, "<4>" CARD ": there is no such device\n");
	/* Switched off since: by a command line of somebody else's (kexec). */
	w->log[0] = '\0';
	w->cmdline = "rd.earlybind=0";
	fake_plug(&w->bus, absent(w, 0), 0);
	assert_int_equal(late(w, CARD, false), EXIT_ALL_BOUND);
	check_contains("log", w->log, ": off: ");
	fake_free(w);
}

/* A virtual function is bound; the physical one that has it is not. */
static void test_virtual_function(void **state unused)
{
	struct fake_world *w = without_card("rd.earlybind.bind=10ee:*");
	struct fake_device *pf = absent(w, 0), *vf = absent(w, 1);

	boot(w, NULL);
	fake_find_driver(&w->bus, "xclmgmt")->state = DRIVER_REGISTERED;
	fake_find_driver(&w->bus, "xocl")->state = DRIVER_REGISTERED;
	pf->is_present = true;
	fake_bind_now(pf, fake_find_driver(&w->bus, "xclmgmt"));
	pf->vf_count = 1;
	vf->group = 14;
	fake_plug(&w->bus, vf, 0);
	assert_int_equal(late(w, CARD_1, false), EXIT_ALL_BOUND);
	assert_string_equal(fake_driver_of(vf), "vfio-pci");
	assert_string_equal(fake_driver_of(pf), "xclmgmt");
	assert_int_equal(late(w, CARD, false), EXIT_NOT_ALL);
	check_contains("log", w->log, "its virtual functions exist");
	assert_string_equal(fake_driver_of(pf), "xclmgmt");
	fake_free(w);
}

/* udev ends what takes 180 s. */
static void test_time_limits(void **state unused)
{
	for (int i = 0; i < 4; i++) {
		bool is_in_table = i & 1;
		struct fake_world *w =
			without_card(is_in_table ? "rd.earlybind.bind=10ee:5000"
						 : "rd.earlybind.bind=10ee:5000 "
						   "rd.earlybind.timeout=3600 "
						   "rd.earlybind.recovery_timeout=3600");
		uint64_t start;

		boot(w,
		     is_in_table ? "option timeout=3600 recovery-timeout=3600\n" : NULL);
		if (i & 2)
			w->modprobe_time = FAKE_FOREVER;
		else
			fake_find_module(w, "vfio_pci")->time = FAKE_SECOND;
		fake_find_driver(&w->bus, "xclmgmt")->state = DRIVER_REGISTERED;
		fake_find_driver(&w->bus, "xclmgmt")->remove_time = FAKE_FOREVER;
		fake_plug(&w->bus, absent(w, 0), 0);
		fake_run(&w->bus, w->bus.now + 1000, NULL);
		start = w->bus.now;
		check_int("code", late(w, CARD, false), EXIT_NOT_ALL);
		check_true("time", w->bus.now - start < (uint64_t)170 * FAKE_SECOND);
		fake_free(w);
	}
}

/* The report cannot be written, or what a boot leaves for others. */
static void test_full_run(void **state unused)
{
	struct fake_world *w = without_card("rd.earlybind.bind=10ee:5000");

	w->publish_error = -ENOSPC;
	boot(w, NULL);
	w->publish_error = 0;
	assert_false(hotplug_has_rules(&w->world));
	boot(w, NULL);
	assert_true(hotplug_has_rules(&w->world));
	w->publish_error = -ENOSPC;
	fake_plug(&w->bus, absent(w, 0), 0);
	assert_int_equal(late(w, CARD, false), EXIT_ALL_BOUND);
	assert_string_equal(fake_driver_of(absent(w, 0)), "vfio-pci");
	check_contains("log", w->log, "the report cannot be written");
	fake_free(w);
}

/* Files that somebody else wrote there. */
static void test_damaged_files(void **state unused)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		CARD,
		CARD " 10ee:5000",
		CARD " 10ee:5000 ",
		"x " CARD " 10ee:5000 stuck",
		CARD " 10ee:5001 stuck",
		"bind\nbind 10ee:\n[\n#: \n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct fake_world *w = without_card("rd.earlybind.bind=10ee:5000");

		boot(w, NULL);
		fake_put_file(w, WORLD_RUN, "earlybind/rules", text_of(texts[i]));
		fake_put_file(w, WORLD_RUN, "earlybind/judged", text_of(texts[i]));
		fake_put_file(w, WORLD_RUN, "earlybind/devices/" CARD ".verdict",
			      text_of(texts[i]));
		fake_plug(&w->bus, absent(w, 0), 0);
		(void)late(w, CARD, false);
		check_string(texts[i], fake_driver_of(absent(w, 0)), "vfio-pci");
		fake_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_boot_leaves),
		cmocka_unit_test(test_boots_that_leave_nothing),
		cmocka_unit_test(test_device_that_appears),
		cmocka_unit_test(test_what_is_not_said),
		cmocka_unit_test(test_device_that_was_grabbed),
		cmocka_unit_test(test_two_functions),
		cmocka_unit_test(test_late_sibling),
		cmocka_unit_test(test_companion),
		cmocka_unit_test(test_two_runs_at_once),
		cmocka_unit_test(test_synthetic_events),
		cmocka_unit_test(test_judged_at_boot),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_not_concerned),
		cmocka_unit_test(test_virtual_function),
		cmocka_unit_test(test_time_limits),
		cmocka_unit_test(test_full_run),
		cmocka_unit_test(test_damaged_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
