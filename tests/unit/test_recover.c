/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other drivers do to a run, what refusals come to, and what is given back. */
#include "boot.h"

static void test_restored_device_gets_a_driver_that_is_there(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	/* It registered, but was shut out by the claim. */
	fake_find_driver(&w->bus, "xclmgmt")->state = DRIVER_REGISTERED;
	device(w, CARD)->vfio_error = -EINVAL;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_RESTORED, REASON_BIND_REFUSED, EINVAL,
					    "xclmgmt"});
	fake_free(w);
}

static void test_hold(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE " rd.earlybind.on_failure=hold");

	device(w, CARD)->vfio_error = -EIO;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_HELD, REASON_BIND_REFUSED, EIO, ""});
	assert_true(device(w, CARD)->has_override);
	fake_free(w);
}

static void test_hold_by_the_rule_only(void **state unused)
{
	struct fake_world *w = alveo("");

	device(w, CARD)->vfio_error = -EIO;
	device(w, CARD_1)->vfio_error = -EIO;
	boot_and_check(w, "bind 01:00.0 on-failure=hold\nbind 01:00.1\n",
		       (struct expectation){VERDICT_HELD, REASON_BIND_REFUSED, EIO, ""});
	assert_false(device(w, CARD_1)->has_override);
	fake_free(w);
}

/* What is held is no obstacle for the rest of its group. */
static void test_hold_leaves_the_group_usable(void **state unused)
{
	static const char *const policies[] = {"hold", "restore"};

	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		char cmdline[128];
		struct fake_world *w;

		snprintf(cmdline, sizeof(cmdline), CMDLINE " rd.earlybind.on_failure=%s",
			 policies[i]);
		w = alveo(cmdline);
		device(w, "0000:02:00.0")->group = 5;
		device(w, "0000:02:00.1")->group = 5;
		device(w, CARD_1)->vfio_error = -EIO;
		boot_and_check(w, NULL, BOUND);
		check_contains(policies[i], w->report,
			       i == 0 ? "\"viable\": true" : "\"viable\": false");
		fake_free(w);
	}
}

static void test_hold_of_a_device_that_keeps_its_driver(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE " rd.earlybind.on_failure=hold "
					     "rd.earlybind.recovery_timeout=3");

	fake_give(w, CARD, "xclmgmt")->has_no_bind_files = true;
	/* It cannot be told to let go: nothing is held. */
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_FAILED, REASON_UNBIND_FAILED, ENOENT,
					    "xclmgmt"});
	fake_free(w);
}

static void test_hold_of_a_recovered_device(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE " rd.earlybind.on_failure=hold");

	fake_give(w, CARD, "xclmgmt");
	device(w, CARD)->vfio_error = -EIO;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_HELD, REASON_BIND_REFUSED, EIO, ""});
	assert_string_equal(device(w, CARD)->override, "vfio-pci");
	fake_free(w);
}

/* Waiting for its file would be in vain. */
static void test_driver_that_cannot_be_unbound(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	uint64_t start = w->bus.now;

	fake_give(w, CARD, "xclmgmt")->has_no_bind_files = true;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_RESTORED, REASON_UNBIND_FAILED,
					    ENOENT, "xclmgmt"});
	check_contains("log", w->log, "could not be unbound: xclmgmt has no unbind file");
	assert_false(device(w, CARD)->has_override);
	assert_true(w->bus.now - start < FAKE_SECOND);
	fake_free(w);
}

static void test_driver_still_registering(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	struct fake_driver *driver = fake_find_driver(&w->bus, "xclmgmt");

	/* A second card, on which its probe takes 12 s; meanwhile there is no unbind file. */
	fake_add_device(&w->bus, "0000:03:00.0",
			(struct pci_ids){0x10ee, 0xd000, 0, 0, 0x120000}, 9);
	fake_add_id(driver, 0x10ee, 0xd000);
	driver->probe_time = 12 * FAKE_SECOND;
	fake_start(&w->bus, OP_REGISTER, NULL, driver);
	fake_run(&w->bus, w->bus.now + 13 * FAKE_SECOND, NULL);
	assert_string_equal(fake_driver_of(device(w, "0000:03:00.0")), "xclmgmt");
	assert_int_equal(driver->state, DRIVER_REGISTERING);
	boot_and_check(w, NULL, BOUND);
	check_contains("log", w->log, "still waiting for the kernel: unbind of " CARD);
	fake_free(w);
}

static void test_driver_in_its_probe(void **state unused)
{
	static const enum fake_kernel kernels[] = {FAKE_5_10, FAKE_6_1, FAKE_7_1};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct fake_world *w = alveo(CMDLINE);
		struct fake_driver *driver = fake_find_driver(&w->bus, "xclmgmt");

		w->bus.kernel = kernels[i];
		driver->probe_time = 15 * FAKE_SECOND;
		fake_start(&w->bus, OP_REGISTER, NULL, driver);
		fake_run(&w->bus, w->bus.now + FAKE_SECOND, NULL);
		boot_and_check(w, NULL, BOUND);
		fake_free(w);
	}
}

static void test_driver_that_hangs_in_remove(void **state unused)
{
	static const enum fake_kernel kernels[] = {FAKE_5_10, FAKE_6_1, FAKE_7_1};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct fake_world *w = alveo(CMDLINE);

		w->bus.kernel = kernels[i];
		fake_give(w, CARD, "xclmgmt")->remove_time = FAKE_FOREVER;
		fake_give(w, CARD_1, "xocl");
		boot_and_check(w, NULL,
			       (struct expectation){VERDICT_STUCK, REASON_STUCK,
						    ETIMEDOUT, NULL});
		/* The next device is not held up by it. */
		assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
		check_contains("log", w->log, "the kernel did not come back from unbind");
		/* Nobody waits for its lock: "uevent" and "driver_override" are covered. */
		assert_int_equal(device(w, CARD)->covers, 2);
		assert_int_equal(device(w, CARD_1)->covers, 0);
		fake_free(w);
	}
}

/* Each has the whole time, however long the one before it took. */
static void test_two_slow_drivers(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE " rd.earlybind.recovery_timeout=10");

	fake_give(w, CARD, "xclmgmt")->remove_time = 7 * FAKE_SECOND;
	fake_give(w, CARD_1, "xocl")->remove_time = 7 * FAKE_SECOND;
	boot_and_check(w, NULL, BOUND);
	assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
	fake_free(w);
}

static void take_it_again(struct fake_bus *bus, void *arg unused)
{
	struct fake_device *d = fake_find_device(bus, CARD);

	d->has_override = false;
	fake_grab(bus, d);
}

/* Somebody clears the claim, and the driver that let go has the device again: at every moment. */
static void test_taken_again(void **state unused)
{
	unsigned busy = 0;

	for (uint64_t delay = 1500; delay < 4500; delay += 2) {
		struct fake_world *w = alveo(CMDLINE);
		struct fake_boot boot;
		const struct outcome *o;

		fake_give(w, CARD, "xclmgmt");
		o = boot_at(w, delay, take_it_again, NULL, &boot);
		assert_non_null(o);
		if (o->verdict != VERDICT_BOUND) {
			check_string(w->trace, reason_word(o->reason), "busy-driver");
			busy++;
		}
		fake_boot_free(&boot);
		fake_free(w);
	}
	assert_true(busy > 0);
}

static void test_driver_that_hangs_in_probe(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	struct fake_driver *driver = fake_find_driver(&w->bus, "xclmgmt");

	driver->probe_time = FAKE_FOREVER;
	fake_start(&w->bus, OP_REGISTER, NULL, driver);
	fake_run(&w->bus, w->bus.now + FAKE_SECOND, NULL);
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_STUCK, REASON_STUCK, ETIMEDOUT, NULL});
	assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
	check_contains("log", w->log, "did not come back from driver_override");
	fake_free(w);
}

static void test_slow_native_probe_when_given_back(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	fake_give(w, CARD, "xclmgmt")->probe_time = 15 * FAKE_SECOND;
	device(w, CARD)->vfio_error = -EIO;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_RESTORED, REASON_BIND_REFUSED, EIO,
					    "xclmgmt"});
	fake_free(w);
}

/* It was shut out by the claim, and probes slowly when it gets the device after all. */
static void test_slow_native_probe_of_a_free_device(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	struct fake_driver *driver = fake_find_driver(&w->bus, "xclmgmt");

	driver->state = DRIVER_REGISTERED;
	driver->probe_time = 20 * FAKE_SECOND;
	device(w, CARD)->vfio_error = -EIO;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_RESTORED, REASON_BIND_REFUSED, EIO,
					    "xclmgmt"});
	check_contains("log", w->log, "still waiting for the kernel: drivers_probe of");
	fake_free(w);
}

/* The time for its recovery is used up: giving it back has a moment of its own. */
static void test_given_back_at_the_last_moment(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE " rd.earlybind.recovery_timeout=20");
	struct fake_driver *driver = fake_give(w, CARD, "xclmgmt");

	driver->remove_time = 19 * FAKE_SECOND;
	driver->probe_time = 3 * FAKE_SECOND / 2;
	device(w, CARD)->deferrals = 1000;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_RESTORED, REASON_DEFERRED, EAGAIN,
					    "xclmgmt"});
	fake_free(w);
}

static void test_native_driver_that_does_not_come_back(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	fake_give(w, CARD, "xclmgmt")->probe_error = -EIO;
	device(w, CARD)->vfio_error = -EIO;
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_FAILED, REASON_RESTORE_FAILED, EIO, ""});
	check_contains(
		"log", w->log,
		"0000:01:00.0 was not bound: vfio-pci refused it: input/output error "
		"(EIO)");
	check_contains(
		"log", w->log,
		"could not be given back to xclmgmt, which says input/output error "
		"(EIO): bind it by hand");
	assert_false(device(w, CARD)->has_override);
	fake_free(w);
}

static void test_native_probe_that_hangs_when_given_back(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	fake_give(w, CARD, "xclmgmt")->probe_time = FAKE_FOREVER;
	device(w, CARD)->vfio_error = -EIO;
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_STUCK, REASON_STUCK, ETIMEDOUT, NULL});
	check_contains("log", w->log, "did not come back from bind");
	fake_free(w);
}

static void test_deferred(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	device(w, CARD)->deferrals = 5;
	boot_and_check(w, NULL, BOUND);
	fake_free(w);

	w = alveo(CMDLINE);
	device(w, CARD)->deferrals = 1000;
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_RESTORED, REASON_DEFERRED, EAGAIN, ""});
	fake_free(w);
}

/* One that is put off for ever takes no time from one that is put off for a while. */
static void test_deferred_beside_another(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	device(w, CARD)->deferrals = 1000;
	device(w, CARD_1)->deferrals = 5;
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_RESTORED, REASON_DEFERRED, EAGAIN, ""});
	assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
	check_contains("log", w->log,
		       "still waiting for the kernel: bind, 5 s of at most");
	fake_free(w);
}

static void test_probe_errors(void **state unused)
{
	static const int errors[] = {EINVAL, EBUSY, EIO, ENOMEM, ENODEV};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct fake_world *w = alveo(CMDLINE);

		device(w, CARD)->vfio_error = -errors[i];
		boot_and_check(w, NULL,
			       (struct expectation){VERDICT_RESTORED, REASON_BIND_REFUSED,
						    errors[i], ""});
		fake_free(w);
		/* 5.10 says the same to everything. */
		w = alveo(CMDLINE);
		w->bus.kernel = FAKE_5_10;
		device(w, CARD)->vfio_error = -errors[i];
		boot_and_check(w, NULL,
			       (struct expectation){VERDICT_RESTORED, REASON_BIND_REFUSED,
						    ENODEV, ""});
		fake_free(w);
	}
}

static void test_refusals_in_words(void **state unused)
{
	static const struct {
		enum fake_kernel kernel;
		int error;
		const char *sentence;
	} cases[] = {
		{FAKE_6_1, -EINVAL,
		 "vfio-pci refused it: invalid argument (EINVAL): this kernel's denylist has "
		 "its model, or the IOMMU is not cache-coherent; see the kernel log"},
		{FAKE_6_1, -EBUSY,
		 "vfio-pci refused it: busy (EBUSY): another part of the kernel uses it"},
		{FAKE_6_1, -ENOMEM,
		 "out of memory (ENOMEM): give the machine more memory, or the image fewer "
		 "files"},
		{FAKE_6_1, -EIO,
		 "vfio-pci refused it: input/output error (EIO); see the"},
		{FAKE_5_10, -EINVAL,
		 "no such device (ENODEV): not ready for a driver; before 5.14: any cause"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_world *w = alveo(CMDLINE);
		struct fake_boot boot;

		w->bus.kernel = cases[i].kernel;
		device(w, CARD)->vfio_error = cases[i].error;
		fake_boot(w, NULL, &boot);
		check_contains(cases[i].sentence, w->log, cases[i].sentence);
		fake_boot_free(&boot);
		fake_free(w);
	}
}

static void make_vfs(struct fake_bus *bus, void *arg unused)
{
	fake_find_device(bus, CARD)->vf_count = 3;
}

/* They appear after the plan was made. */
static void test_virtual_functions_meanwhile(void **state unused)
{
	static const enum fake_kernel kernels[] = {FAKE_5_10, FAKE_6_1};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct fake_world *w = alveo(CMDLINE);

		w->bus.kernel = kernels[i];
		fake_at(&w->bus, w->bus.now + 2000, make_vfs, NULL);
		boot_and_check(w, NULL,
			       (struct expectation){VERDICT_RESTORED, REASON_HAS_VFS,
						    i == 0 ? ENODEV : EBUSY, ""});
		check_contains("log", w->log, "its virtual functions exist (3 of them)");
		fake_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restored_device_gets_a_driver_that_is_there),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_hold_by_the_rule_only),
		cmocka_unit_test(test_hold_leaves_the_group_usable),
		cmocka_unit_test(test_hold_of_a_device_that_keeps_its_driver),
		cmocka_unit_test(test_driver_that_cannot_be_unbound),
		cmocka_unit_test(test_hold_of_a_recovered_device),
		cmocka_unit_test(test_driver_still_registering),
		cmocka_unit_test(test_driver_in_its_probe),
		cmocka_unit_test(test_driver_that_hangs_in_remove),
		cmocka_unit_test(test_two_slow_drivers),
		cmocka_unit_test(test_taken_again),
		cmocka_unit_test(test_driver_that_hangs_in_probe),
		cmocka_unit_test(test_slow_native_probe_when_given_back),
		cmocka_unit_test(test_slow_native_probe_of_a_free_device),
		cmocka_unit_test(test_given_back_at_the_last_moment),
		cmocka_unit_test(test_native_driver_that_does_not_come_back),
		cmocka_unit_test(test_native_probe_that_hangs_when_given_back),
		cmocka_unit_test(test_deferred),
		cmocka_unit_test(test_deferred_beside_another),
		cmocka_unit_test(test_probe_errors),
		cmocka_unit_test(test_virtual_functions_meanwhile),
		cmocka_unit_test(test_refusals_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
