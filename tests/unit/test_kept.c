/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of two functions that vfio-pci's own ids= name a keep rule protects one: who ends where. */
#include "boot.h"

#include "fake_set_ups.h"

#define KEEP "keep 01:00.1\n"
#define SAYS "[10ee:5001] "
#define TAKEN \
	"vfio-pci had bound it by its own ids= and was unbound; take the ID out there"

/* The boot of a machine with vfio-pci in it: the trace of what was written to the kept one. */
static void boot_kept(struct fake_world *w, int code, enum reason reason,
		      const char *driver)
{
	struct fake_boot boot;
	const struct outcome *o;
	const char *message;

	fake_boot(w, KEEP, &boot);
	message = fake_check(w, &boot);
	if (message)
		fail_msg("%s\n%s%s", message, w->trace, w->log);
	o = fake_outcome(&boot, CARD_1);
	assert_non_null(o);
	check_int(w->log, boot.code, code);
	check_string(w->log, reason_word(o->reason), reason_word(reason));
	check_string(w->log, o->after, driver);
	check_string(w->trace, action_name(o->plan->action), "keep");
	check_string(w->trace, fake_driver_of(device(w, CARD_1)), driver);
	/* The other one is where the rule wants it, whatever becomes of this. */
	check_string(w->trace, fake_driver_of(device(w, CARD)), "vfio-pci");
	fake_boot_free(&boot);
}

static void test_module_comes_later(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	boot_kept(w, EXIT_ALL_BOUND, REASON_KEPT, "");
	assert_int_equal(device(w, CARD_1)->writes, 0);
	check_contains("trace", w->trace, "load vfio_pci\n");
	/* Then its own driver is loaded. */
	fake_grab(&w->bus, device(w, CARD_1));
	fake_run(&w->bus, w->bus.now + FAKE_SECOND, NULL);
	assert_string_equal(fake_driver_of(device(w, CARD_1)), "xocl");
	fake_free(w);
}

static void test_was_taken(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	set_up_taken_by_ids(w);
	boot_kept(w, EXIT_ALL_BOUND, REASON_KEPT_GIVEN_BACK, "");
	assert_string_equal(w->trace,
			    "drivers/vfio-pci/remove_id 10ee 5001 ffffffff ffffffff 0 0\n"
			    "devices/0000:01:00.1/driver_override (clear)\n"
			    "drivers/vfio-pci/unbind 0000:01:00.1\n"
			    "drivers_probe 0000:01:00.1\n");
	check_contains("log", w->log,
		       SAYS "given back: a keep rule protects it (table:1");
	check_contains("log", w->log, TAKEN);
	check_contains("report", w->report, "\"reason\": \"kept-given-back\"");
	/* The ID is gone for good: its driver's module takes it, and no probe puts it back. */
	fake_grab(&w->bus, device(w, CARD_1));
	fake_run(&w->bus, w->bus.now + FAKE_SECOND, NULL);
	assert_string_equal(fake_driver_of(device(w, CARD_1)), "xocl");
	fake_free(w);
}

/* Its own driver came after vfio-pci, which had it: it gets it now. */
static void test_driver_is_there(void **state unused)
{
	static const enum fake_kernel kernels[] = {FAKE_6_1, FAKE_5_10, FAKE_7_1};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct fake_world *w = alveo(CMDLINE);

		w->bus.kernel = kernels[i];
		set_up_taken_before(w);
		boot_kept(w, EXIT_ALL_BOUND, REASON_KEPT_GIVEN_BACK, "xocl");
		check_contains("log", w->log, SAYS "given back (xocl): a keep rule");
		fake_free(w);
	}
}

/* A driver of its own that takes its time is not cut short. */
static void test_driver_is_slow(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	set_up_taken_before(w);
	fake_find_driver(&w->bus, "xocl")->probe_time = 9 * (uint64_t)FAKE_SECOND;
	boot_kept(w, EXIT_ALL_BOUND, REASON_KEPT_GIVEN_BACK, "xocl");
	fake_free(w);
}

/* An override is what vfio-pci had it by. */
static void test_had_an_override(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	struct fake_device *d = device(w, CARD_1);

	set_up_taken_before(w);
	d->has_override = true;
	strcpy(d->override, "vfio-pci");
	boot_kept(w, EXIT_ALL_BOUND, REASON_KEPT_GIVEN_BACK, "xocl");
	assert_false(d->has_override);
	fake_free(w);
}

/* An ID that came by new_id, say: a probe gives it to vfio-pci again. Then it is left free. */
static void test_unknown_id(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	set_up_taken_by_hand(w);
	boot_kept(w, EXIT_ALL_BOUND, REASON_KEPT_GIVEN_BACK, "");
	fake_free(w);
}

/* A list that cannot be changed: no probe, which would give it back to vfio-pci. */
static void test_id_stays(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	set_up_taken_before(w);
	fake_find_driver(&w->bus, "vfio-pci")->has_no_bind_files = true;
	boot_kept(w, EXIT_NOT_ALL, REASON_UNBIND_FAILED, "vfio-pci");
	assert_null(strstr(w->trace, "drivers_probe"));
	check_contains("log", w->log,
		       SAYS "left alone (vfio-pci): its driver could not be unbound: "
			    "vfio-pci has no unbind file");
	fake_free(w);
}

static void test_hangs(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	struct fake_boot boot;
	const struct outcome *o;

	set_up_taken_for_long(w);
	fake_boot(w, KEEP, &boot);
	assert_null(fake_check(w, &boot));
	o = fake_outcome(&boot, CARD_1);
	assert_int_equal(o->verdict, VERDICT_STUCK);
	assert_true(boot.end - boot.start < 8 * (uint64_t)FAKE_SECOND);
	check_contains("log", w->log,
		       SAYS "stuck: the kernel did not come back from unbind");
	fake_boot_free(&boot);
	fake_free(w);
}

/* On a system that is up a VM may have it: it is only said. */
static void test_running_system(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	struct run_options options = {.cmdline =
					      TEXT(CMDLINE " rd.earlybind.bind=02:00.1")};
	struct arena arena = {.base = calloc(1, 4 << 20), .size = 4 << 20};
	static struct run run;

	set_up_taken_before(w);
	assert_int_equal(run_read_policy(&w->world, &arena, &options, &run), 0);
	policy_add_rule(&run.policy, RULE_KEEP, TEXT("01:00.1"), (struct text){NULL, 0},
			' ', &(struct origin){.source = SOURCE_TABLE},
			(struct text){"", 0});
	assert_int_equal(run_plan(&w->world, &arena, &run), 0);
	run.report.deadline = w->bus.now + FAKE_SECOND;
	run_carry_out(&w->world, &arena, &run);
	assert_false(report_is_fine(&run.report));
	report_log(&run.report, &w->world);
	check_contains(
		"log", w->log,
		SAYS
		"left alone (vfio-pci): a keep rule names it, but it is on "
		"vfio-pci: vfio-pci bound it by its own ids=; take the ID out there");
	assert_int_equal(device(w, CARD_1)->writes, 0);
	free(arena.base);
	fake_free(w);
}

/* Somebody binds it while the binder is at work. */
static void take(struct fake_bus *bus, void *arg)
{
	struct fake_device *d = arg;

	fake_bind_now(d, fake_find_driver(bus, "vfio-pci"));
}

static void test_taken_meanwhile(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	struct fake_boot boot;

	fake_at(&w->bus, w->bus.now + 2500, take, device(w, CARD_1));
	fake_boot(w, KEEP, &boot);
	assert_null(fake_check(w, &boot));
	assert_int_equal(fake_outcome(&boot, CARD_1)->reason, REASON_KEPT_GIVEN_BACK);
	assert_int_equal(boot.code, EXIT_ALL_BOUND);
	fake_boot_free(&boot);
	fake_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_module_comes_later),
		cmocka_unit_test(test_was_taken),
		cmocka_unit_test(test_driver_is_there),
		cmocka_unit_test(test_driver_is_slow),
		cmocka_unit_test(test_had_an_override),
		cmocka_unit_test(test_unknown_id),
		cmocka_unit_test(test_id_stays),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_running_system),
		cmocka_unit_test(test_taken_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
