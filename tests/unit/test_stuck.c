/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that somebody has in hand, that are dead, or that the kernel does not let go. */
#include "boot.h"

static const enum fake_kernel kernels[] = {FAKE_5_10, FAKE_6_1, FAKE_7_1};

/* Somebody has the device let go, which takes a while: the link is gone, the lock is held. */
static void begin_remove(struct fake_world *w, const char *address, const char *name,
			 uint64_t time)
{
	struct fake_driver *driver = fake_give(w, address, name);

	driver->remove_time = time;
	fake_start(&w->bus, OP_UNBIND, device(w, address), driver);
	fake_run(&w->bus, w->bus.now + 1000, NULL);
	assert_string_equal(fake_driver_of(device(w, address)), "");
}

/*
 * On 7.1 a claim waits for nobody, so nothing shows that vfio-pci would wait when it registers:
 * there, whoever began the remove has loaded it before.
 */
static void set_kernel(struct fake_world *w, enum fake_kernel kernel)
{
	w->bus.kernel = kernel;
	if (kernel != FAKE_7_1)
		return;
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_LIVE;
	fake_find_driver(&w->bus, "vfio-pci")->state = DRIVER_REGISTERED;
}

/* @first comes before @second in @text. */
static void check_order(const char *text, const char *first, const char *second)
{
	const char *a = strstr(text, first), *b = strstr(text, second);

	if (!a || !b || a > b)
		fail_msg("not \"%s\" before \"%s\" in\n%s", first, second, text);
}

static void test_remove_under_way(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct fake_world *w = alveo(CMDLINE);

		set_kernel(w, kernels[i]);
		begin_remove(w, CARD, "xclmgmt", 20 * FAKE_SECOND);
		boot_and_check(w, NULL, BOUND);
		/* The other one does not wait; registering waits for no lock either. */
		check_order(w->trace, "parked", "resumed");
		check_order(w->trace, "devices/0000:01:00.1/driver_override", "resumed");
		assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
		if (kernels[i] != FAKE_7_1) {
			check_order(w->trace, "load vfio_pci\n", "resumed");
			check_contains("log", w->log,
				       "still waiting for the kernel: driver_override of "
				       "0000:01:00.0, 5 s of at most 90 s");
		}
		check_contains("log", w->log,
			       "0000:01:00.0 [10ee:5000] is locked by another kernel "
			       "task; waiting up to 90 s");
		fake_free(w);
	}
}

static void test_remove_under_way_for_ever(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct fake_world *w = alveo(CMDLINE);
		uint64_t start = w->bus.now;

		set_kernel(w, kernels[i]);
		begin_remove(w, CARD, "xclmgmt", FAKE_FOREVER);
		boot_and_check(w, NULL,
			       (struct expectation){VERDICT_STUCK, REASON_STUCK,
						    ETIMEDOUT, NULL});
		assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
		check_contains(
			"log", w->log,
			"the device is not touched again, and a reboot may hang on "
			"it; then SysRq-b");
		assert_true(w->bus.now - start < 95 * FAKE_SECOND);
		fake_free(w);
	}
}

static void load_xclmgmt(struct fake_bus *bus, void *arg unused)
{
	fake_start(bus, OP_REGISTER, NULL, fake_find_driver(bus, "xclmgmt"));
}

/* At every moment up to the claim: the probe is under way, or fails its second match. */
static void test_slow_probe_begins_meanwhile(void **state unused)
{
	unsigned recovered = 0;

	for (uint64_t delay = 0; delay < 900; delay += 3) {
		struct fake_world *w = alveo(CMDLINE);

		w->bus.kernel = kernels[delay % 3];
		fake_find_driver(&w->bus, "xclmgmt")->probe_time = 20 * FAKE_SECOND;
		fake_at(&w->bus, w->bus.now + delay, load_xclmgmt, NULL);
		boot_and_check(w, NULL, BOUND);
		assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
		if (strstr(w->trace, "parked")) {
			check_contains(w->trace, w->log, "(was xclmgmt)");
			recovered++;
		}
		fake_free(w);
	}
	assert_true(recovered > 0);
}

/* More of them than can be parked. */
static void test_many_removes_under_way(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	char address[BDF_SIZE];
	struct fake_boot boot;
	const char *message;

	begin_remove(w, CARD, "xclmgmt", 20 * FAKE_SECOND);
	for (int i = 0; i < JOBS_PARKED_MAX + 4; i++) {
		snprintf(address, sizeof(address), "0000:03:%02x.0", i);
		fake_add_device(&w->bus, address,
				(struct pci_ids){0x10ee, 0x5000, 0, 0, 0x120000}, 20 + i);
		begin_remove(w, address, "xclmgmt", 20 * FAKE_SECOND);
	}
	fake_boot(w, NULL, &boot);
	message = fake_check(w, &boot);
	if (message)
		fail_msg("%s\n%s%s", message, w->trace, w->log);
	assert_int_equal(boot.code, EXIT_ALL_BOUND);
	assert_true(boot.end - boot.start < 25 * FAKE_SECOND);
	fake_boot_free(&boot);
	fake_free(w);
}

/* What was parked is ended and undone also where nothing can be bound. */
static void test_remove_under_way_and_no_module(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	fake_find_module(w, "vfio_pci")->state = MODULE_IS_MISSING;
	begin_remove(w, CARD, "xclmgmt", 20 * FAKE_SECOND);
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_RESTORED, REASON_NO_VFIO, ENOENT, NULL});
	fake_free(w);
}

/* Loading took all of the time: what is under way still has a second to end. */
static void test_remove_under_way_and_time_is_up(void **state unused)
{
	struct fake_world *w =
		alveo(CMDLINE " rd.earlybind.timeout=2 rd.earlybind.recovery_timeout=5");

	fake_find_module(w, "vfio_pci")->time = FAKE_FOREVER;
	begin_remove(w, CARD, "xclmgmt", 15 * FAKE_SECOND / 2);
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_RESTORED, REASON_MODULE_FAILED,
					    ETIMEDOUT, NULL});
	fake_free(w);
}

/*
 * vfio-pci's probe is put off, and repeated by the kernel when the other function is bound: its
 * link is there meanwhile, and goes again.
 */
static void test_repeated_probe(void **state unused)
{
	static const uint64_t times[] = {50, 1000, 20000, FAKE_SECOND};

	for (unsigned i = 0; i < 3 * 4 * 6; i++) {
		struct fake_world *w = alveo("rd.earlybind.bind=10ee:*");
		struct fake_boot boot;
		const char *message;

		w->bus.kernel = kernels[i % 3];
		fake_find_module(w, "vfio_pci")->state = MODULE_IS_BUILTIN;
		fake_find_driver(&w->bus, "vfio-pci")->state = DRIVER_REGISTERED;
		fake_find_driver(&w->bus, "vfio-pci")->probe_time = times[i / 3 % 4];
		device(w, CARD)->deferrals = i / 12;
		fake_boot(w, NULL, &boot);
		message = fake_check(w, &boot);
		if (message)
			fail_msg("%u: %s\n%s%s", i, message, w->trace, w->log);
		fake_boot_free(&boot);
		fake_free(w);
	}
}

/*
 * Somebody else has the device probed, at every moment, also when it was given back: vfio-pci has
 * its ID, and its link is no proof.
 */
static void test_probed_by_somebody_else(void **state unused)
{
	for (unsigned at = 1; at < 400; at++) {
		struct fake_world *w = alveo(CMDLINE " rd.earlybind.timeout=1");
		struct fake_boot boot;
		const char *message;

		w->bus.kernel = kernels[at % 2];
		fake_find_driver(&w->bus, "vfio-pci")->probe_time = 300;
		fake_find_driver(&w->bus, "xclmgmt")->state = DRIVER_REGISTERED;
		device(w, CARD)->deferrals = 1000;
		w->fault_at = at;
		w->fault = FAULT_GRAB;
		fake_boot(w, NULL, &boot);
		message = fake_check(w, &boot);
		if (message)
			fail_msg("%u: %s\n%s%s", at, message, w->trace, w->log);
		fake_boot_free(&boot);
		fake_free(w);
	}
}

/* Loading waits for probes in the background, so for what a recovery waits for. */
static void test_slow_load(void **state unused)
{
	for (int is_grabbed = 0; is_grabbed < 2; is_grabbed++) {
		struct fake_world *w = alveo(CMDLINE);

		fake_find_module(w, "vfio_iommu_type1")->time = 20 * FAKE_SECOND;
		if (is_grabbed)
			fake_give(w, CARD_1, "xocl");
		boot_and_check(w, NULL,
			       is_grabbed ? BOUND
					  : (struct expectation){VERDICT_RESTORED,
								 REASON_MODULE_FAILED,
								 ETIMEDOUT, ""});
		assert_string_equal(fake_driver_of(device(w, CARD_1)),
				    is_grabbed ? "vfio-pci" : "");
		fake_free(w);
	}
}

/* ---- nobody answers ---- */

static void test_dead_device(void **state unused)
{
	for (int is_grabbed = 0; is_grabbed < 2; is_grabbed++) {
		struct fake_world *w = alveo(CMDLINE);

		if (is_grabbed)
			fake_give(w, CARD, "xclmgmt");
		device(w, CARD)->is_dead = true;
		boot_and_check(w, NULL,
			       (struct expectation){VERDICT_REFUSED, REASON_NO_ANSWER,
						    ENXIO, is_grabbed ? "xclmgmt" : ""});
		assert_int_equal(device(w, CARD)->writes, 0);
		assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
		check_contains(
			"log", w->log,
			"it does not answer (its config space reads as ones), as it "
			"lost power (D3cold) or its link: power-cycle the machine, "
			"check power and seating");
		fake_free(w);
	}
}

static void test_dead_device_of_a_dry_run(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE " rd.earlybind.dry_run=1");
	struct fake_boot boot;

	device(w, CARD)->config_time = FAKE_FOREVER;
	fake_boot(w, NULL, &boot);
	check_contains("log", w->log, "dry run, action: bind");
	fake_boot_free(&boot);
	fake_free(w);
}

static void test_config_space_that_hangs(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	uint64_t start = w->bus.now;

	device(w, CARD)->config_time = FAKE_FOREVER;
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_STUCK, REASON_STUCK, ETIMEDOUT, NULL});
	check_contains("log", w->log, "did not come back from its config space");
	assert_int_equal(device(w, CARD)->writes, 0);
	assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
	/* Its ids= would have the registration wait for it. */
	check_contains("trace", w->trace, "load vfio_pci\n");
	assert_true(w->bus.now - start < 3 * FAKE_SECOND);
	fake_free(w);
}

/* Each within its time, and all together longer than anybody waits without a word. */
static void test_slow_config_space_of_many(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	char address[BDF_SIZE];
	struct fake_boot boot;
	const char *message;

	for (int i = 0; i < 4; i++) {
		snprintf(address, sizeof(address), "0000:03:%02x.0", i);
		fake_add_device(&w->bus, address,
				(struct pci_ids){0x10ee, 0x5000, 0, 0, 0x120000}, 20 + i)
			->config_time = 18 * FAKE_SECOND / 10;
	}
	fake_boot(w, NULL, &boot);
	message = fake_check(w, &boot);
	if (message)
		fail_msg("%s\n%s%s", message, w->trace, w->log);
	assert_int_equal(boot.code, EXIT_ALL_BOUND);
	check_contains("log", w->log,
		       "still waiting for the kernel: config of 0000:03:03.0, 5 s of at "
		       "most ");
	fake_boot_free(&boot);
	fake_free(w);
}

/* vfio is asked nothing about the group of a device that the kernel is stuck with. */
static void test_group_of_a_stuck_device(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	w->has_group_files = true;
	fake_give(w, CARD, "xclmgmt")->remove_time = FAKE_FOREVER;
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_STUCK, REASON_STUCK, ETIMEDOUT, NULL});
	assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
	check_contains("report", w->report, "\"kernel\": null");
	fake_free(w);
}

/* ---- the claim is lost ---- */

static void lose_claim(struct fake_bus *bus, void *arg)
{
	fake_find_device(bus, CARD)->has_override = false;
	if (arg)
		load_xclmgmt(bus, NULL);
}

/* Its override is cleared behind the back of the run, and the native driver may come. */
static void test_lost_claim(void **state unused)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(kernels); i++) {
		struct fake_world *w = alveo("rd.earlybind.bind=10ee:*");

		w->bus.kernel = kernels[i / 2];
		fake_at(&w->bus, w->bus.now + 2000, lose_claim, i % 2 ? w : NULL);
		boot_and_check(w, NULL, BOUND);
		if (i % 2)
			check_contains(w->trace, w->trace, "drivers/xclmgmt/unbind");
		else
			check_contains(w->trace, w->trace,
				       "drivers/vfio-pci/bind 0000:01:00.0\n"
				       "devices/0000:01:00.0/driver_override vfio-pci\n"
				       "drivers/vfio-pci/bind 0000:01:00.0\n");
		fake_free(w);
	}
}

/* ---- the whole machine cannot bind ---- */

/* Then no driver is disturbed for a try. */
static void test_nothing_is_unbound_in_vain(void **state unused)
{
	static const int errors[] = {-ENOENT, -EKEYREJECTED, -ENOEXEC, -EBADMSG,
				     -ENOSPC, -ENOMEM,	     0};

	for (size_t i = 0; i <= ARRAY_SIZE(errors); i++) {
		struct fake_world *w = alveo(CMDLINE);
		struct fake_boot boot;
		const char *message;

		fake_give(w, CARD, "xclmgmt");
		fake_give(w, CARD_1, "xocl");
		if (i == ARRAY_SIZE(errors))
			w->is_without_iommu = true;
		else if (errors[i])
			fake_find_module(w, "vfio_pci")->error = errors[i];
		else
			fake_find_module(w, "vfio_pci")->time = FAKE_FOREVER;
		fake_boot(w, NULL, &boot);
		message = fake_check(w, &boot);
		check_string(w->trace, message ? message : "", "");
		check_int(w->trace, boot.code, EXIT_NOT_ALL);
		check_int(w->trace, device(w, CARD)->writes, 0);
		check_int(w->trace, device(w, CARD_1)->writes, 0);
		check_string(w->log, fake_driver_of(device(w, CARD)), "xclmgmt");
		fake_boot_free(&boot);
		fake_free(w);
	}
}

/*
 * A link that is seen and goes again makes loading wait for a whole recovery, in vain; and giving
 * the device back finds its driver, whose probe hangs. One recovery is all that both have.
 */
static void test_load_and_probe_for_ever(void **state unused)
{
	unsigned seen = 0;

	for (uint64_t delay = 0; delay < 900; delay += 9) {
		struct fake_world *w = alveo(CMDLINE);
		struct fake_driver *native = fake_find_driver(&w->bus, "xclmgmt");
		const struct outcome *o;
		struct fake_boot boot;
		uint64_t start = w->bus.now;

		w->bus.kernel = kernels[(delay / 9) % 3];
		native->is_async = true;
		native->link_time = 300;
		native->probe_time = FAKE_FOREVER;
		fake_find_module(w, "vfio_iommu_type1")->time = FAKE_FOREVER;
		o = boot_at(w, delay, load_xclmgmt, NULL, &boot);
		assert_non_null(o);
		assert_true(w->bus.now - start < 105 * FAKE_SECOND);
		seen += w->bus.now - start > 95 * FAKE_SECOND &&
			o->verdict == VERDICT_STUCK;
		fake_boot_free(&boot);
		fake_free(w);
	}
	assert_true(seen > 0);
}

/* More than a list of jobs has room for, some of which are dead or hang. */
static void check_many(unsigned count, unsigned round)
{
	struct fake_world *w = alveo(CMDLINE);
	unsigned dead = 0, hung = 0, bound = 0, stuck = 0, refused = 0;
	char address[BDF_SIZE];
	struct fake_boot boot;
	const char *message;

	w->bus.kernel = kernels[round % 3];
	if (round >= 3) {
		fake_find_module(w, "vfio_pci")->state = MODULE_IS_BUILTIN;
		fake_find_driver(&w->bus, "vfio-pci")->state = DRIVER_REGISTERED;
	}
	for (unsigned i = 0; i < count; i++) {
		struct fake_device *d;

		snprintf(address, sizeof(address), "0000:%02x:%02x.0", 16 + i / 32,
			 i % 32);
		d = fake_add_device(&w->bus, address,
				    (struct pci_ids){0x10ee, 0x5000, 0, 0, 0x120000},
				    20 + (int)i);
		d->is_dead = i % 9 == 3 + round;
		if (i % 30 == 29 - round && hung < 3)
			d->config_time = FAKE_FOREVER;
		dead += d->is_dead && d->config_time != FAKE_FOREVER;
		hung += d->config_time == FAKE_FOREVER;
	}
	fake_boot(w, NULL, &boot);
	message = fake_check(w, &boot);
	if (message)
		fail_msg("%u, %u: %s\n%s%s", count, round, message, w->trace, w->log);
	for (size_t i = 0; i < boot.run.plan.device_count; i++) {
		enum verdict verdict = boot.run.report.outcomes[i].verdict;

		bound += verdict == VERDICT_BOUND;
		stuck += verdict == VERDICT_STUCK;
		refused += verdict == VERDICT_REFUSED;
	}
	assert_int_equal(stuck, hung);
	assert_int_equal(refused, dead);
	assert_int_equal(bound, count + 2 - hung - dead);
	fake_boot_free(&boot);
	fake_free(w);
}

static void test_more_than_a_list(void **state unused)
{
	static const unsigned counts[] = {40, 41, 42, 62, 63, 64, 70, 130, 240};

	for (unsigned round = 0; round < 6; round++)
		for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
			check_many(counts[i], round);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_and_probe_for_ever),
		cmocka_unit_test(test_remove_under_way),
		cmocka_unit_test(test_remove_under_way_for_ever),
		cmocka_unit_test(test_slow_probe_begins_meanwhile),
		cmocka_unit_test(test_many_removes_under_way),
		cmocka_unit_test(test_remove_under_way_and_no_module),
		cmocka_unit_test(test_remove_under_way_and_time_is_up),
		cmocka_unit_test(test_repeated_probe),
		cmocka_unit_test(test_probed_by_somebody_else),
		cmocka_unit_test(test_slow_load),
		cmocka_unit_test(test_dead_device),
		cmocka_unit_test(test_dead_device_of_a_dry_run),
		cmocka_unit_test(test_config_space_that_hangs),
		cmocka_unit_test(test_slow_config_space_of_many),
		cmocka_unit_test(test_more_than_a_list),
		cmocka_unit_test(test_group_of_a_stuck_device),
		cmocka_unit_test(test_lost_claim),
		cmocka_unit_test(test_nothing_is_unbound_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
