/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bind and release by hand on a machine that is up, with a fault at every access. */
#include "test.h"

#include "by_hand.h"
#include "fake_check.h"
#include "hotplug.h"

#define CARD   "0000:01:00.0"
#define CARD_1 "0000:01:00.1"
#define VFIO   "vfio-pci"

#define ARENA_SIZE ((size_t)4 * 1024 * 1024)

/* The Alveo machine, up: all drivers have their devices, vfio was never loaded. */
static struct fake_world *machine(void)
{
	struct fake_world *w = fake_new();

	fake_load_machine(w, "alveo", true);
	return w;
}

static struct fake_device *card(struct fake_world *w)
{
	return fake_find_device(&w->bus, CARD_1);
}

/* As after "earlybind bind", or a boot with the rule. */
static void put_on_vfio(struct fake_world *w)
{
	struct fake_driver *vfio = fake_find_driver(&w->bus, VFIO);
	struct fake_device *d = card(w);

	fake_find_module(w, "vfio_pci")->state = MODULE_IS_LIVE;
	vfio->state = DRIVER_REGISTERED;
	fake_bind_now(d, vfio);
	strcpy(d->override, VFIO);
	d->has_override = true;
}

static struct policy policy_of(struct arena *arena, const char *selector)
{
	const struct origin origin = {.source = SOURCE_ARGUMENT};
	struct policy policy;

	if (policy_init(&policy, arena) < 0)
		fake_abort("out of memory");
	policy.timeout = 3;
	policy.recovery_timeout = 6;
	policy_add_rule(&policy, RULE_BIND, text_of(selector), (struct text){NULL, 0},
			' ', &origin, (struct text){"", 0});
	return policy;
}

static void bind(struct fake_world *w, const char *selector, struct fake_boot *ret)
{
	struct policy policy;
	struct bdf bdf;

	assert_int_equal(bdf_parse(text_of(CARD_1), &bdf), 0);
	*ret = (struct fake_boot){.arena = test_arena(ARENA_SIZE), .is_late = true};
	policy = policy_of(&ret->arena, selector);
	ret->start = w->bus.now;
	by_hand_speak(&w->world, false);
	ret->code = by_hand_bind(&w->world, &ret->arena, &policy, bdf, &ret->run);
	by_hand_be_silent(&w->world);
	ret->end = w->bus.now;
}

/* The outcome lives on in the caller's arena. */
static struct outcome release(struct fake_world *w, struct arena *arena,
			      const char *driver, bool has_modules)
{
	struct policy policy = policy_of(arena, CARD_1);
	struct pci_device *d = arena_alloc(arena, 1, sizeof(*d));
	struct release r = {.policy = &policy,
			    .device = d,
			    .word = TEXT("01:00.1"),
			    .has_modules = has_modules};
	struct outcome outcome;

	assert_non_null(d);
	d->bdf = card(w)->bdf;
	d->ids = card(w)->ids;
	strcpy(d->driver, fake_driver_of(card(w)));
	if (driver)
		r.drivers.items[r.drivers.count++] = driver;
	assert_int_equal(by_hand_release(&w->world, arena, &r, &outcome), 0);
	return outcome;
}

static const char *published(struct fake_world *w, const char *suffix)
{
	const struct fake_file *file;
	char path[64];

	snprintf(path, sizeof(path), "earlybind/devices/" CARD_1 "%s", suffix);
	file = fake_find_file(w, WORLD_RUN, path);
	return file ? file->bytes : "(none)";
}

static void test_bind(void **state unused)
{
	static const char *const selectors[] = {"01:00.1", "10ee:5001", "class=12"};

	for (size_t i = 0; i < ARRAY_SIZE(selectors) * 2; i++) {
		struct fake_world *w = machine();
		struct fake_boot boot;

		if (i & 1)
			fake_bind_now(card(w), NULL);
		bind(w, selectors[i / 2], &boot);
		check_int(selectors[i / 2], boot.code, EXIT_ALL_BOUND);
		check_string(selectors[i / 2], fake_driver_of(card(w)), VFIO);
		assert_null(fake_check(w, &boot));
		/* Others that the rule matches, or the boot's ids= would: untouched. */
		check_true("trace", !strstr(w->trace, CARD));
		check_true("trace", !strstr(w->trace, "ids="));
		assert_string_equal(published(w, ".verdict"),
				    CARD_1 " 10ee:5001 bound\n");
		check_contains("report", published(w, ".json"),
			       "\"origin\": \"argument\"");
		fake_boot_free(&boot);
		fake_free(w);
	}
}

static void test_bind_that_fails(void **state unused)
{
	struct fake_world *w = machine();
	struct fake_boot boot;

	card(w)->vfio_error = -EINVAL;
	bind(w, CARD_1, &boot);
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	assert_string_equal(fake_driver_of(card(w)), "xocl");
	assert_false(card(w)->has_override);
	assert_int_equal(fake_outcome(&boot, CARD_1)->verdict, VERDICT_RESTORED);
	assert_null(fake_check(w, &boot));
	fake_boot_free(&boot);
	fake_free(w);

	/* No vfio module: nothing is unbound. */
	w = machine();
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_MISSING;
	bind(w, CARD_1, &boot);
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	assert_null(strstr(w->trace, "unbind"));
	assert_string_equal(fake_driver_of(card(w)), "xocl");
	fake_boot_free(&boot);
	fake_free(w);
}

static void test_bind_that_hangs(void **state unused)
{
	struct fake_world *w = machine();
	struct fake_boot boot;

	fake_find_driver(&w->bus, "xocl")->remove_time = FAKE_FOREVER;
	bind(w, CARD_1, &boot);
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	assert_int_equal(fake_outcome(&boot, CARD_1)->verdict, VERDICT_STUCK);
	assert_null(fake_check(w, &boot));
	assert_int_equal(hotplug_find(&w->world, card(w)->bdf, &card(w)->ids),
			 LATE_STUCK);
	fake_boot_free(&boot);
	fake_free(w);
}

static void test_bind_without_a_device(void **state unused)
{
	struct fake_world *w = machine();
	struct fake_boot boot;

	bind(w, "05:00.0", &boot);
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	assert_int_equal(boot.run.report.reason, REASON_MISSING);
	assert_string_equal(w->trace, "");
	fake_boot_free(&boot);
	fake_free(w);
	w = machine();
	w->is_without_bus = true;
	bind(w, CARD_1, &boot);
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	assert_int_equal(boot.run.report.reason, REASON_NO_SYSFS);
	fake_boot_free(&boot);
	fake_free(w);
}

static const struct {
	const char *label;
	bool is_loaded; /* its own driver */
	const char *driver; /* that is offered */
	bool has_modules;
	bool has_vfio_ids; /* vfio-pci would take it by ids= */
	const char *want;
	enum verdict verdict;
} releases[] = {
	{"loaded", true, "xocl", true, false, "xocl", VERDICT_RESTORED},
	{"loaded, with ids=", true, "xocl", true, true, "xocl", VERDICT_RESTORED},
	{"loaded, not known", true, NULL, true, false, "xocl", VERDICT_RESTORED},
	{"by udev", false, NULL, true, false, "xocl", VERDICT_RESTORED},
	{"by udev, with ids=", false, NULL, true, true, "xocl", VERDICT_RESTORED},
	{"driver is gone", false, "xocl", true, false, "xocl", VERDICT_RESTORED},
	{"wrong driver", true, "nvidia", true, false, "xocl", VERDICT_RESTORED},
	{"no module", false, NULL, false, false, "", VERDICT_RESTORED},
	{"no module, with ids=", false, NULL, false, true, VFIO, VERDICT_FAILED},
};

static void test_release(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		struct arena arena = test_arena(ARENA_SIZE);
		struct fake_world *w = machine();
		const char *label = releases[i].label;
		struct outcome o;

		put_on_vfio(w);
		if (!releases[i].is_loaded)
			fake_find_driver(&w->bus, "xocl")->state = DRIVER_ABSENT;
		if (releases[i].has_vfio_ids)
			fake_add_id(fake_find_driver(&w->bus, VFIO), 0x10ee, 0x5001);
		o = release(w, &arena, releases[i].driver, releases[i].has_modules);
		check_string(label, fake_driver_of(card(w)), releases[i].want);
		check_string(label, o.after, releases[i].want);
		check_int(label, o.verdict, releases[i].verdict);
		check_true(label, card(w)->has_override ==
					  (releases[i].verdict == VERDICT_FAILED));
		check_contains(label, published(w, ".json"), "\"action\": \"release\"");
		check_contains(label, published(w, ".verdict"),
			       releases[i].verdict == VERDICT_FAILED ? " failed\n"
								     : " restored\n");
		fake_free(w);
		test_arena_free(&arena);
	}
}

/* A VM has it: the write does not come back. */
static void test_release_that_hangs(void **state unused)
{
	struct arena arena = test_arena(ARENA_SIZE);
	struct fake_world *w = machine();
	struct outcome o;

	put_on_vfio(w);
	fake_find_driver(&w->bus, VFIO)->remove_time = FAKE_FOREVER;
	o = release(w, &arena, "xocl", true);
	assert_int_equal(o.verdict, VERDICT_STUCK);
	check_contains("verdict", published(w, ".verdict"), " stuck\n");
	check_contains("report", published(w, ".json"), "the kernel did not come back");
	fake_free(w);

	/* Its own driver hangs in its probe. */
	w = machine();
	put_on_vfio(w);
	fake_find_driver(&w->bus, "xocl")->probe_time = FAKE_FOREVER;
	o = release(w, &arena, "xocl", true);
	assert_int_equal(o.verdict, VERDICT_STUCK);
	fake_free(w);
	test_arena_free(&arena);
}

/* Its file says ENOENT until the time is up: the override is put back all the same. */
static void test_release_that_is_refused(void **state unused)
{
	struct arena arena = test_arena(ARENA_SIZE);
	struct fake_world *w = machine();
	struct outcome o;

	put_on_vfio(w);
	fake_find_driver(&w->bus, VFIO)->has_no_bind_files = true;
	o = release(w, &arena, "xocl", true);
	assert_int_equal(o.verdict, VERDICT_FAILED);
	assert_int_equal(o.reason, REASON_UNBIND_FAILED);
	assert_string_equal(fake_driver_of(card(w)), VFIO);
	assert_true(card(w)->has_override);
	assert_string_equal(card(w)->override, VFIO);
	fake_free(w);
	test_arena_free(&arena);
}

static void pull(struct fake_bus *bus, void *arg)
{
	fake_vanish(bus, arg);
}

static void test_release_of_what_is_pulled(void **state unused)
{
	for (uint64_t at = 0; at < 3000; at += 50) {
		struct arena arena = test_arena(ARENA_SIZE);
		struct fake_world *w = machine();
		struct outcome o;

		put_on_vfio(w);
		fake_at(&w->bus, w->bus.now + at, pull, card(w));
		/* Afterwards there is no card(). */
		o = release(w, &arena, "xocl", true);
		check_true("a verdict",
			   o.verdict == VERDICT_RESTORED || o.reason != REASON_NONE);
		fake_free(w);
		test_arena_free(&arena);
	}
}

static bool is_hanging(const struct fake_world *w)
{
	for (size_t i = 0; i < w->bus.task_count; i++)
		if (w->bus.tasks[i].is_abandoned)
			return true;
	return false;
}

/* NULL, or what does not hold after a release. */
static const char *check_release(struct fake_world *w, const struct outcome *o,
				 uint64_t time)
{
	const char *driver = fake_driver_of(card(w));

	if (time > 3 * FAKE_SECOND + 6 * FAKE_SECOND + 4 * FAKE_SECOND)
		return "it took too long";
	if (w->job)
		return "a job is left behind";
	for (size_t i = 0; i < w->bus.device_count; i++)
		if (&w->bus.devices[i] != card(w) && w->bus.devices[i].writes > 0)
			return "another device was written to";
	/* Unless the last look failed, which counts as gone, it is the truth. */
	if (o->reason != REASON_VANISHED && o->verdict != VERDICT_STUCK &&
	    strcmp(o->after, driver) != 0)
		return "what is said to have it has it not";
	switch (o->verdict) {
	case VERDICT_RESTORED:
		if (strcmp(driver, VFIO) == 0 || card(w)->has_override)
			return "released, but vfio-pci can have it";
		return o->reason == REASON_NONE ? NULL : "released, with a reason";
	case VERDICT_STUCK:
		return is_hanging(w) ? NULL : "stuck, but nothing hangs";
	case VERDICT_FAILED:
		return o->reason != REASON_NONE ? NULL : "failed without a reason";
	case VERDICT_NONE:
	case VERDICT_BOUND:
	case VERDICT_HELD:
	case VERDICT_REFUSED:
	case VERDICT_MISSING:
		break;
	}
	return "no verdict of a release";
}

static bool run_release(size_t i, unsigned at, enum fake_fault fault)
{
	struct arena arena = test_arena(ARENA_SIZE);
	struct fake_world *w = machine();
	const char *message;
	struct outcome o;
	uint64_t start;
	bool is_reached;

	put_on_vfio(w);
	if (!releases[i].is_loaded)
		fake_find_driver(&w->bus, "xocl")->state = DRIVER_ABSENT;
	if (releases[i].has_vfio_ids)
		fake_add_id(fake_find_driver(&w->bus, VFIO), 0x10ee, 0x5001);
	w->fault_at = at;
	w->fault = fault;
	start = w->bus.now;
	o = release(w, &arena, releases[i].driver, releases[i].has_modules);
	message = check_release(w, &o, w->bus.now - start);
	if (message)
		fail_msg("release, %s, access %u, fault %d: %s\n%s%s", releases[i].label,
			 at, fault, message, w->trace, w->log);
	is_reached = w->accesses >= at;
	fake_free(w);
	test_arena_free(&arena);
	return is_reached;
}

static const struct {
	const char *label;
	bool is_free;
	int vfio_error;
	enum fake_kernel kernel;
} binds[] = {
	{"free", true, 0, FAKE_6_1},
	{"grabbed", false, 0, FAKE_6_1},
	{"refused", false, -EINVAL, FAKE_7_1},
	{"refused, free", true, -EINVAL, FAKE_5_10},
};

static bool run_bind(size_t i, unsigned at, enum fake_fault fault)
{
	struct fake_world *w = machine();
	struct fake_boot boot;
	const char *message;
	bool is_reached;

	w->bus.kernel = binds[i].kernel;
	card(w)->vfio_error = binds[i].vfio_error;
	if (binds[i].is_free)
		fake_bind_now(card(w), NULL);
	w->fault_at = at;
	w->fault = fault;
	bind(w, CARD_1, &boot);
	message = boot.run.report.plan ? fake_check(w, &boot) : NULL;
	if (!message && boot.code == EXIT_ALL_BOUND &&
	    strcmp(fake_driver_of(card(w)), VFIO) != 0)
		message = "not bound, but the exit code is 0";
	if (message)
		fail_msg("bind, %s, access %u, fault %d: %s\n%s%s", binds[i].label, at,
			 fault, message, w->trace, w->log);
	is_reached = w->accesses >= at;
	fake_boot_free(&boot);
	fake_free(w);
	return is_reached;
}

static void test_fault(void **state)
{
	enum fake_fault fault = (enum fake_fault)(uintptr_t)*state;

	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		unsigned at = 1;

		while (run_release(i, at, fault))
			at++;
		check_true("a whole release", at > 6);
	}
	for (size_t i = 0; i < ARRAY_SIZE(binds); i++) {
		unsigned at = 1;

		while (run_bind(i, at, fault))
			at++;
		check_true("a whole bind", at > 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_bind_that_fails),
		cmocka_unit_test(test_bind_that_hangs),
		cmocka_unit_test(test_bind_without_a_device),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_release_that_hangs),
		cmocka_unit_test(test_release_that_is_refused),
		cmocka_unit_test(test_release_of_what_is_pulled),
		{"test_reads_and_starts", test_fault, NULL, NULL, (void *)FAULT_ERROR},
		{"test_writes", test_fault, NULL, NULL, (void *)FAULT_RESULT},
		{"test_lost_workers", test_fault, NULL, NULL, (void *)FAULT_LOST},
		{"test_hanging_jobs", test_fault, NULL, NULL, (void *)FAULT_HANG},
		{"test_hanging_jobs_after_the_deed", test_fault, NULL, NULL,
		 (void *)FAULT_HANG_DONE},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
