/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole runs over the fake machine: what the kernel does, and in which order it is asked. */
#include "boot.h"

/* ---- the usual ways ---- */

static void test_free_devices(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	boot_and_check(w, NULL, BOUND);
	/* Claim, load, and the registration of vfio-pci has done the rest. */
	assert_string_equal(w->trace, "devices/0000:01:00.0/driver_override vfio-pci\n"
				      "devices/0000:01:00.1/driver_override vfio-pci\n"
				      "load vfio_iommu_type1\n"
				      "load vfio_pci ids=10ee:5000,10ee:5001\n");
	/* Other drivers come later and get nothing. */
	fake_start(&w->bus, OP_REGISTER, NULL, fake_find_driver(&w->bus, "xclmgmt"));
	fake_run(&w->bus, w->bus.now + FAKE_SECOND, NULL);
	assert_string_equal(fake_driver_of(device(w, CARD)), "vfio-pci");
	fake_free(w);
}

static void test_vfio_built_in(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	fake_find_module(w, "vfio_pci")->state = MODULE_IS_BUILTIN;
	fake_find_driver(&w->bus, "vfio-pci")->state = DRIVER_REGISTERED;
	boot_and_check(w, NULL, BOUND);
	/* There is no registration any more that would bind: it must be asked for. */
	assert_string_equal(w->trace, "devices/0000:01:00.0/driver_override vfio-pci\n"
				      "devices/0000:01:00.1/driver_override vfio-pci\n"
				      "load vfio_iommu_type1\n"
				      "load vfio_pci ids=10ee:5000,10ee:5001\n"
				      "drivers/vfio-pci/bind 0000:01:00.0\n"
				      "drivers/vfio-pci/bind 0000:01:00.1\n");
	fake_free(w);
}

/*
 * Built in, in an image without any modules.*, or in a kernel that loads none at all: its
 * folder is there from the start, and that is all there is to know.
 */
static void test_vfio_built_in_and_nothing_says_so(void **state unused)
{
	static const int errors[] = {-ENOENT, -ENOSYS};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct fake_world *w = alveo(CMDLINE);

		for (int k = 0; k < 2; k++) {
			w->modules[k].state =
				errors[i] == -ENOENT ? MODULE_IS_MISSING : MODULE_IS_FILE;
			w->modules[k].error = errors[i];
		}
		fake_find_driver(&w->bus, "vfio-pci")->state = DRIVER_REGISTERED;
		fake_give(w, CARD_1, "xocl");
		boot_and_check(w, NULL, BOUND);
		assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
		check_contains("report", w->report, "\"outcome\": \"builtin\"");
		fake_free(w);
	}
}

/* The kernel's own vfio-pci.ids= has bound what had no driver: nothing is left to do. */
static void test_bound_by_the_kernel(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	w->modules[0].state = MODULE_IS_MISSING;
	w->modules[1].state = MODULE_IS_MISSING;
	fake_give(w, CARD, "vfio-pci");
	fake_give(w, CARD_1, "vfio-pci");
	boot_and_check(w, NULL, BOUND);
	assert_string_equal(w->trace, "");
	check_contains("report", w->report, "\"action\": \"done\"");
	fake_free(w);
}

/* A kernel without modules, and without vfio-pci. */
static void test_no_modules_at_all(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	w->modules[0].error = -ENOSYS;
	w->modules[1].error = -ENOSYS;
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_RESTORED, REASON_MODULE_FAILED, ENOSYS, ""});
	fake_free(w);
}

static void test_recovery(void **state unused)
{
	static const enum fake_kernel kernels[] = {FAKE_5_10, FAKE_6_1, FAKE_7_1};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct fake_world *w = alveo(CMDLINE);

		w->bus.kernel = kernels[i];
		fake_give(w, CARD, "xclmgmt")->remove_time = 7 * FAKE_SECOND;
		boot_and_check(w, NULL, BOUND);
		/* The modules before any unbind; the bind only after the unbind. */
		assert_string_equal(w->trace,
				    "devices/0000:01:00.1/driver_override vfio-pci\n"
				    "load vfio_iommu_type1\n"
				    "load vfio_pci\n"
				    "devices/0000:01:00.0/driver_override vfio-pci\n"
				    "drivers/xclmgmt/unbind 0000:01:00.0\n"
				    "drivers/vfio-pci/bind 0000:01:00.0\n");
		check_contains("log", w->log,
			       "[10ee:5000] is held by xclmgmt: unbinding it");
		check_contains("log", w->log,
			       "still waiting for the kernel: unbind of " CARD);
		check_contains("log", w->log, "bound to vfio-pci (was xclmgmt), group 1");
		fake_free(w);
	}
}

static void test_already_there(void **state unused)
{
	struct fake_world *w = alveo("rd.earlybind.bind=01:00.0");

	fake_find_module(w, "vfio_pci")->state = MODULE_IS_LIVE;
	fake_give(w, CARD, "vfio-pci");
	boot_and_check(w, NULL, BOUND);
	assert_string_equal(w->trace, "");
	check_contains("log", w->log, "was already bound to vfio-pci");
	fake_free(w);
}

static void test_nothing_to_do(void **state unused)
{
	static const char *const lines[] = {"", "quiet", "rd.earlybind=0 " CMDLINE,
					    "rd.earlybind=off", "-- " CMDLINE};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct fake_world *w = alveo(lines[i]);
		struct fake_boot boot;

		fake_boot(w, NULL, &boot);
		check_string(lines[i], w->trace, "");
		check_int(lines[i], w->publishes, 0);
		/* The IDs behind "--" are worth a word. */
		check_int(lines[i], boot.code, i == 4 ? EXIT_NOT_ALL : EXIT_ALL_BOUND);
		check_true(lines[i], !fake_check(w, &boot));
		fake_boot_free(&boot);
		fake_free(w);
	}
}

static void test_dry_run(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE " rd.earlybind.dry_run=1");
	struct fake_boot boot;

	fake_give(w, CARD, "xclmgmt");
	fake_boot(w, "keep 02:00.*\n", &boot);
	assert_string_equal(w->trace, "");
	check_contains("log", w->log, "[10ee:5000] dry run, action: recover");
	check_contains("log", w->log, "[10ee:5001] dry run, action: bind");
	check_contains("report", w->report, "\"dry_run\": true");
	assert_int_equal(device(w, CARD)->writes, 0);
	fake_boot_free(&boot);
	fake_free(w);
}

/* ---- what drivers and modules do ---- */

/* vfio-pci would take what its own ids= match, also what is kept. */
static void test_module_without_ids_where_a_keep_rule_matches(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	boot_and_check(w, "keep 01:00.1\n", BOUND);
	check_contains("trace", w->trace, "load vfio_pci\n");
	assert_string_equal(fake_driver_of(device(w, CARD_1)), "");
	fake_free(w);
}

static void test_ids_behind_the_end(void **state unused)
{
	struct fake_world *w = alveo("vfio-pci.ids=10ee:5000 -- vfio-pci.ids=10de:2489");

	boot_and_check(w, NULL, BOUND);
	/* libkmod knows no "--": it would give the module the last one. */
	check_contains("trace", w->trace, "load vfio_pci ids=10ee:5000\n");
	assert_string_equal(fake_driver_of(device(w, "0000:02:00.0")), "");
	fake_free(w);
}

static void test_ids_that_do_not_fit(void **state unused)
{
	char line[2000] = "vfio-pci.ids=10ee:5000";
	struct fake_world *w;

	while (strlen(line) < 1100)
		strcat(line, ",1234:5678");
	w = alveo(line);
	boot_and_check(w, NULL, BOUND);
	check_contains("trace", w->trace, "load vfio_pci\n");
	check_contains("log", w->log, "more than 1023 characters");
	fake_free(w);
}

static void test_missing_module(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	fake_find_module(w, "vfio_pci")->state = MODULE_IS_MISSING;
	fake_give(w, CARD_1, "xocl");
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_RESTORED, REASON_NO_VFIO, ENOENT, ""});
	/* The device that has its driver is left to it. */
	assert_int_equal(device(w, CARD_1)->writes, 0);
	check_contains("log", w->log, "update-initramfs -u -k all");
	fake_free(w);
}

static void test_missing_backend_is_no_failure(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	fake_find_module(w, "vfio_iommu_type1")->state = MODULE_IS_MISSING;
	boot_and_check(w, NULL, BOUND);
	fake_free(w);
}

static void test_failing_module(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	fake_find_module(w, "vfio_pci")->error = -EKEYREJECTED;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_RESTORED, REASON_MODULE_FAILED,
					    EKEYREJECTED, ""});
	check_contains("log", w->log,
		       "the kernel rejects the signature of vfio_pci (EKEYREJECTED)");
	fake_free(w);
}

static void test_hanging_module(void **state unused)
{
	static const char *const names[] = {"vfio_iommu_type1", "vfio_pci"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct fake_world *w = alveo(CMDLINE);

		fake_find_module(w, names[i])->time = FAKE_FOREVER;
		boot_and_check(w, NULL,
			       (struct expectation){VERDICT_RESTORED,
						    REASON_MODULE_FAILED, ETIMEDOUT, ""});
		fake_free(w);
	}
}

/* ---- the IOMMU ---- */

static void test_no_iommu(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	w->is_without_iommu = true;
	fake_give(w, CARD_1, "xocl");
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_REFUSED, REASON_IOMMU_OFF, 0, ""});
	assert_string_equal(w->trace, "");
	check_contains("log", w->log, "add intel_iommu=on");
	fake_free(w);
}

/* What cannot be read at the end takes nothing from why it was refused. */
static void test_refused_and_unreadable(void **state unused)
{
	for (unsigned at = 1; at < 400; at++) {
		struct fake_world *w = alveo("rd.earlybind.bind=01:00.0");
		struct fake_boot boot;
		const struct outcome *o;

		w->is_without_iommu = true;
		w->fault_at = at;
		w->fault = FAULT_ERROR;
		fake_boot(w, NULL, &boot);
		o = fake_outcome(&boot, CARD);
		if (o && o->plan->action == ACTION_REFUSE)
			check_string(w->log, reason_word(o->reason), "iommu-off");
		fake_boot_free(&boot);
		fake_free(w);
	}
}

static void test_group_that_comes_with_the_probe(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	device(w, CARD)->group = FAKE_NO_GROUP;
	device(w, CARD)->is_iommu_late = true;
	boot_and_check(w, NULL, BOUND);
	fake_free(w);
}

static void test_device_that_the_iommu_does_not_cover(void **state unused)
{
	static const struct {
		enum fake_kernel kernel;
		int error;
	} kernels[] = {{FAKE_5_10, ENODEV}, {FAKE_6_1, EINVAL}};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct fake_world *w = alveo(CMDLINE);

		w->bus.kernel = kernels[i].kernel;
		device(w, CARD)->group = FAKE_NO_GROUP;
		boot_and_check(w, NULL,
			       (struct expectation){VERDICT_RESTORED,
						    REASON_NO_IOMMU_GROUP,
						    kernels[i].error, ""});
		fake_free(w);
	}
}

static void test_working_driver_is_not_disturbed_for_a_try(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	fake_give(w, CARD, "xclmgmt");
	device(w, CARD)->group = FAKE_NO_GROUP;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_REFUSED, REASON_NO_IOMMU_GROUP, 0,
					    "xclmgmt"});
	fake_free(w);
}

static void test_group_verdicts(void **state unused)
{
	for (int has_files = 0; has_files < 2; has_files++) {
		struct fake_world *w = alveo(CMDLINE);

		w->has_group_files = has_files;
		fake_give(w, "0000:02:00.0", "nvidia");
		fake_give(w, "0000:02:00.1", "snd_hda_intel");
		boot_and_check(w, NULL, BOUND);
		check_contains("log", w->log,
			       "group 1: bound, but no VM can use it: 0000:02:00.0 and "
			       "0000:02:00.1 in the same IOMMU group");
		check_contains("report", w->report,
			       has_files ? "\"kernel\": \"not viable\""
					 : "\"kernel\": null");
		check_contains("report", w->report, "\"viable\": false");
		fake_free(w);
	}
}

/* ---- the world around ---- */

static void vanish_card(struct fake_bus *bus, void *arg unused)
{
	fake_vanish(bus, fake_find_device(bus, CARD));
}

/* Pulled at every moment of a run. */
static void test_device_that_vanishes(void **state unused)
{
	for (uint64_t delay = 0; delay < 6000; delay += 3) {
		struct fake_world *w = alveo(CMDLINE);
		struct fake_boot boot;
		const struct outcome *o;

		fake_give(w, CARD, "xclmgmt");
		o = boot_at(w, delay, vanish_card, NULL, &boot);
		if (o && !fake_find_device(&w->bus, CARD) && o->verdict != VERDICT_BOUND)
			check_string(w->trace, reason_word(o->reason), "vanished");
		assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
		fake_boot_free(&boot);
		fake_free(w);
	}
}

static void replace_card(struct fake_bus *bus, void *arg)
{
	(void)fake_replace(bus, fake_find_device(bus, CARD), *(struct pci_ids *)arg);
}

/* Another card sits in its place, at every moment: each of its IDs tells that it is another. */
static void test_card_that_is_replaced(void **state unused)
{
	for (uint64_t delay = 0; delay < 2500; delay += 5) {
		struct fake_world *w = alveo("rd.earlybind.bind=01:00.*");
		struct pci_ids by = device(w, CARD)->ids;
		struct fake_boot boot;
		const struct outcome *o;

		by.subvendor ^= delay % 3 == 0;
		by.subdevice ^= delay % 3 == 1;
		by.class ^= delay % 3 == 2;
		o = boot_at(w, delay, replace_card, &by, &boot);
		assert_non_null(o);
		/* Unless it was there when the plan was made. */
		if (memcmp(&o->plan->device->ids, &by, sizeof(by)) != 0) {
			check_true(w->trace, !device(w, CARD)->has_override);
			check_string(w->trace, fake_driver_of(device(w, CARD)), "");
		}
		fake_boot_free(&boot);
		fake_free(w);
	}
}

static void load_xclmgmt(struct fake_bus *bus, void *arg unused)
{
	fake_start(bus, OP_REGISTER, NULL, fake_find_driver(bus, "xclmgmt"));
}

/* The native driver registers at every moment of a run, and the card is bound all the same. */
static void test_race(void **state unused)
{
	bool has_recovered = false;

	for (uint64_t delay = 0; delay < 6000; delay += 7) {
		struct fake_world *w = alveo(CMDLINE);

		w->bus.kernel = delay % 3;
		fake_at(&w->bus, w->bus.now + delay, load_xclmgmt, NULL);
		boot_and_check(w, NULL, BOUND);
		/* Whom it was taken from is said, whenever that came. */
		if (strstr(w->trace, "drivers/xclmgmt/unbind")) {
			check_contains(w->trace, w->log, "(was xclmgmt)");
			has_recovered = true;
		}
		fake_free(w);
	}
	assert_true(has_recovered);
}

static void test_no_bus(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	struct fake_boot boot;

	w->is_without_bus = true;
	fake_boot(w, NULL, &boot);
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	check_contains("log", w->log, "there is no PCI bus in /sys");
	check_contains("report", w->report, "\"reason\": \"no-sysfs\"");
	fake_boot_free(&boot);
	fake_free(w);
}

static void test_no_cmdline(void **state unused)
{
	struct fake_world *w = alveo(NULL);

	boot_and_check(w, "bind 10ee:*\n", BOUND);
	check_contains("log", w->log, "cannot be read: only the table counts");
	fake_free(w);
}

static void test_report_that_cannot_be_written(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	struct fake_boot boot;

	w->publish_error = -ENOSPC;
	fake_boot(w, NULL, &boot);
	/* The devices are bound all the same. */
	assert_int_equal(boot.code, EXIT_ALL_BOUND);
	check_contains("log", w->log, "the report cannot be written: no space left");
	fake_boot_free(&boot);
	fake_free(w);
}

static void test_modprobe_d(void **state unused)
{
	struct fake_world *w = alveo("quiet");

	w->modprobe_ids = "10ee:5000";
	boot_and_check(w, NULL, BOUND);
	assert_string_equal(fake_driver_of(device(w, CARD_1)), "");
	fake_free(w);
}

/* What the reading of modprobe.d takes is not there for the rest. */
static void test_slow_modprobe_d(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	uint64_t start = w->bus.now;

	w->modprobe_time = 8 * FAKE_SECOND;
	fake_find_module(w, "vfio_pci")->time = FAKE_FOREVER;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_RESTORED, REASON_MODULE_FAILED,
					    ETIMEDOUT, ""});
	assert_true(w->bus.now - start < 11 * FAKE_SECOND);
	fake_free(w);
}

static void test_hanging_modprobe_d(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	uint64_t start = w->bus.now;

	w->modprobe_time = FAKE_FOREVER;
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_REFUSED, REASON_TIMEOUT, ETIMEDOUT, ""});
	check_contains("log", w->log, "the time limit passed before its turn");
	assert_true(w->bus.now - start < 11 * FAKE_SECOND);
	fake_free(w);
}

static void test_time_is_shared(void **state unused)
{
	struct fake_world *w = alveo("");

	/* The first bind hangs. */
	fake_find_driver(&w->bus, "vfio-pci")->state = DRIVER_REGISTERED;
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_BUILTIN;
	fake_find_driver(&w->bus, "vfio-pci")->probe_time = FAKE_FOREVER;
	boot_and_check(
		w, "option timeout=4\nbind 10ee:*\n",
		(struct expectation){VERDICT_STUCK, REASON_STUCK, ETIMEDOUT, NULL});
	check_contains("log", w->log, "did not come back from bind");
	/* Nor does the second one, which had its turn all the same. */
	assert_true(device(w, CARD_1)->has_override);
	fake_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_free_devices),
		cmocka_unit_test(test_vfio_built_in),
		cmocka_unit_test(test_vfio_built_in_and_nothing_says_so),
		cmocka_unit_test(test_bound_by_the_kernel),
		cmocka_unit_test(test_no_modules_at_all),
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_already_there),
		cmocka_unit_test(test_nothing_to_do),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_module_without_ids_where_a_keep_rule_matches),
		cmocka_unit_test(test_ids_behind_the_end),
		cmocka_unit_test(test_ids_that_do_not_fit),
		cmocka_unit_test(test_missing_module),
		cmocka_unit_test(test_missing_backend_is_no_failure),
		cmocka_unit_test(test_failing_module),
		cmocka_unit_test(test_hanging_module),
		cmocka_unit_test(test_no_iommu),
		cmocka_unit_test(test_refused_and_unreadable),
		cmocka_unit_test(test_group_that_comes_with_the_probe),
		cmocka_unit_test(test_device_that_the_iommu_does_not_cover),
		cmocka_unit_test(test_working_driver_is_not_disturbed_for_a_try),
		cmocka_unit_test(test_group_verdicts),
		cmocka_unit_test(test_device_that_vanishes),
		cmocka_unit_test(test_card_that_is_replaced),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_no_bus),
		cmocka_unit_test(test_no_cmdline),
		cmocka_unit_test(test_report_that_cannot_be_written),
		cmocka_unit_test(test_modprobe_d),
		cmocka_unit_test(test_slow_modprobe_d),
		cmocka_unit_test(test_hanging_modprobe_d),
		cmocka_unit_test(test_time_is_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
