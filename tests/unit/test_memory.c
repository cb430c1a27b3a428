/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs with too little memory, from a byte to as much as it takes: never a crash (ASan sees to
 * what is behind the last byte), and each device is bound, untouched or given back, or a line
 * says why nothing was done.
 */
#include "test.h"

#include "fake_check.h"

#define STEPS 150

struct scenario {
	const char *name;
	const char *cmdline;
	const char *table;
	bool is_grabbed; /* by its own driver, before the run */
	bool is_refused; /* by vfio-pci */
	bool is_late;
};

static const struct scenario scenarios[] = {
	{.name = "free", .cmdline = "vfio-pci.ids=10ee:5000,10ee:5001"},
	{.name = "grabbed", .cmdline = "rd.earlybind.bind=10ee:*", .is_grabbed = true},
	{.name = "hold",
	 .cmdline = "rd.earlybind.log=debug",
	 .table = "bind 10ee:* on-failure=hold\nkeep 00:1f.*\nbind 1:1\nbind aaaa:aaaa\n",
	 .is_refused = true},
	{.name = "restore",
	 .cmdline = "quiet",
	 .table = "bind path=00:01.0/00.0\nbind 10ee:5001\n",
	 .is_grabbed = true,
	 .is_refused = true},
	{.name = "late", .cmdline = "quiet", .table = "bind 10ee:*\n", .is_late = true},
};

static struct fake_world *set_up(const struct scenario *s)
{
	struct fake_world *w = fake_new();
	struct fake_device *d;

	fake_load_machine(w, "alveo", false);
	w->cmdline = s->cmdline;
	w->has_group_files = true;
	d = fake_find_device(&w->bus, "0000:01:00.0");
	if (s->is_grabbed) {
		struct fake_driver *driver = fake_find_driver(&w->bus, "xclmgmt");

		driver->state = DRIVER_REGISTERED;
		fake_bind_now(d, driver);
	}
	if (s->is_refused)
		d->vfio_error = -EINVAL;
	return w;
}

/* Runs with so much memory, and returns how much of it was used. */
static size_t run(const struct scenario *s, size_t memory, bool *ret_is_bound)
{
	struct fake_world *w = set_up(s);
	const char *message = NULL;
	struct fake_boot boot;
	size_t used;

	w->memory = memory;
	if (s->is_late)
		fake_late(w, s->table, "0000:01:00.0", false, &boot);
	else
		fake_boot(w, s->table, &boot);
	if (boot.run.report.plan)
		message = fake_check(w, &boot);
	if (!message && boot.code != EXIT_ALL_BOUND && !w->log[0])
		message = "no line says why";
	if (!message && boot.code == EXIT_ALL_BOUND && !boot.run.report.plan)
		message = "no plan, but the exit code is 0";
	if (message)
		fail_msg("%s, %zu bytes, code %d: %s\n%s%s", s->name, memory, boot.code,
			 message, w->trace, w->log);
	*ret_is_bound = boot.code == EXIT_ALL_BOUND;
	used = boot.arena.used;
	fake_boot_free(&boot);
	fake_free(w);
	return used;
}

static void test_too_little_memory(void **state)
{
	const struct scenario *s = *state;
	bool is_bound, is_fine;
	size_t enough = run(s, 0, &is_fine);

	for (size_t i = 0; i <= STEPS; i++) {
		/* Near the end are the many small pieces. */
		(void)run(s, enough * i / STEPS + 1, &is_bound);
		(void)run(s, enough - MIN(enough - 1, i * 37), &is_bound);
	}
	(void)run(s, enough, &is_bound);
	assert_int_equal(is_bound, is_fine);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(scenarios)];

	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		tests[i] = (struct CMUnitTest){scenarios[i].name, test_too_little_memory,
					       NULL, NULL, (void *)&scenarios[i]};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
