/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every access to the machine fails once, in every way that it can: the run still ends in
 * time, and each device is bound, untouched, given back or held, with a verdict that says so.
 */
#include "test.h"

#include "fake_check.h"

#define CARD   "0000:01:00.0"
#define CARD_1 "0000:01:00.1"

static void grab(struct fake_world *w, const char *address, const char *name)
{
	struct fake_driver *driver = fake_find_driver(&w->bus, name);

	driver->state = DRIVER_REGISTERED;
	fake_bind_now(fake_find_device(&w->bus, address), driver);
}

static void set_up_free(struct fake_world *w)
{
	w->cmdline = "vfio-pci.ids=10ee:5000,10ee:5001";
}

static void set_up_one_rule(struct fake_world *w)
{
	w->cmdline = "rd.earlybind.bind=10ee:*";
	/* Groups of their own: none is seen as the other's neighbour. */
	fake_find_device(&w->bus, CARD)->group = 12;
	fake_find_device(&w->bus, CARD_1)->group = 13;
}

static void set_up_grabbed(struct fake_world *w)
{
	set_up_free(w);
	grab(w, CARD, "xclmgmt");
	grab(w, CARD_1, "xocl");
	w->has_group_files = true;
}

static void set_up_built_in(struct fake_world *w)
{
	set_up_grabbed(w);
	fake_bind_now(fake_find_device(&w->bus, CARD_1), NULL);
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_BUILTIN;
	fake_find_driver(&w->bus, "vfio-pci")->state = DRIVER_REGISTERED;
}

static void set_up_missing_module(struct fake_world *w)
{
	set_up_free(w);
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_MISSING;
}

static void set_up_refusal(struct fake_world *w)
{
	set_up_grabbed(w);
	fake_find_device(&w->bus, CARD)->vfio_error = -EINVAL;
	fake_find_device(&w->bus, CARD_1)->deferrals = 3;
}

static void set_up_hold(struct fake_world *w)
{
	set_up_refusal(w);
	w->cmdline = "rd.earlybind.bind=10ee:*;on-failure=hold "
		     "rd.earlybind.bind=02:00.1 rd.earlybind.timeout=3";
}

static void set_up_hold_free(struct fake_world *w)
{
	w->cmdline = "vfio-pci.ids=10ee:5000,10ee:5001 rd.earlybind.on_failure=hold";
	fake_find_device(&w->bus, CARD)->vfio_error = -EBUSY;
}

static void set_up_shell(struct fake_world *w)
{
	set_up_refusal(w);
	w->cmdline = "rd.earlybind.bind=10ee:*;on-failure=shell rd.earlybind.timeout=3";
}

/* The number of the card, in its config space. */
static void set_up_serial(struct fake_world *w)
{
	static const uint32_t config[FAKE_CONFIG_WORDS] = {0x00010003, 1};

	w->cmdline = "rd.earlybind.bind=serial=00-00-00-00-00-00-00-01+10ee:*";
	fake_find_device(&w->bus, CARD)->config = config;
}

static void set_up_path(struct fake_world *w)
{
	w->cmdline = "rd.earlybind.bind=path=00:01.0,path=00:01.1/00.0+10ee:*";
}

static void set_up_keep(struct fake_world *w)
{
	set_up_free(w);
	w->modprobe_ids = "10de:2489";
	grab(w, "0000:02:00.0", "nvidia");
}

/* A screen of the firmware's that vfio-pci does not take away. */
static void set_up_framebuffer(struct fake_world *w)
{
	struct fake_device *gpu = fake_find_device(&w->bus, "0000:02:00.0");

	w->cmdline = "vfio-pci.ids=10ee:5000 rd.earlybind.bind=02:00.0;allow=console";
	gpu->ids.class = 0x038000;
	w->bus.framebuffer = (struct fake_framebuffer){.driver = "efi-framebuffer",
						       .region = "efifb",
						       .on = gpu,
						       .is_child = true,
						       .is_bound = true,
						       .remove_time = 3000};
}

/* Built in, in an image without any index of modules. */
static void set_up_no_index(struct fake_world *w)
{
	set_up_free(w);
	w->modules[0].state = MODULE_IS_MISSING;
	w->modules[1].state = MODULE_IS_MISSING;
	fake_find_driver(&w->bus, "vfio-pci")->state = DRIVER_REGISTERED;
}

static void set_up_old_kernel(struct fake_world *w)
{
	set_up_refusal(w);
	w->bus.kernel = FAKE_5_10;
}

/* Somebody makes the driver let go of the card: what is stored for it has to wait. */
static void set_up_in_hand(struct fake_world *w)
{
	struct fake_driver *driver = fake_find_driver(&w->bus, "xclmgmt");

	set_up_free(w);
	grab(w, CARD, "xclmgmt");
	driver->remove_time = 8 * FAKE_SECOND;
	fake_start(&w->bus, OP_UNBIND, fake_find_device(&w->bus, CARD), driver);
	fake_run(&w->bus, w->bus.now + 1000, NULL);
}

static void set_up_in_hand_refused(struct fake_world *w)
{
	set_up_in_hand(w);
	fake_find_device(&w->bus, CARD)->vfio_error = -ENOMEM;
	fake_find_device(&w->bus, CARD_1)->is_dead = true;
}

/* Its claim gets lost: the kernel says ENODEV. */
static void set_up_lost_claim(struct fake_world *w)
{
	set_up_built_in(w);
	fake_find_device(&w->bus, CARD_1)->vfio_error = -ENODEV;
	fake_find_driver(&w->bus, "xclmgmt")->has_no_bind_files = true;
}

static const struct {
	const char *name;
	void (*set_up)(struct fake_world *w);
	const char *table;
	const char *wanted[3]; /* what the rules name */
} scenarios[] = {
	{"free", set_up_free, NULL, {CARD, CARD_1}},
	{"one rule", set_up_one_rule, NULL, {CARD, CARD_1}},
	{"grabbed", set_up_grabbed, NULL, {CARD, CARD_1}},
	{"built in", set_up_built_in, NULL, {CARD, CARD_1}},
	{"no index", set_up_no_index, NULL, {CARD, CARD_1}},
	{"missing module", set_up_missing_module, NULL, {CARD, CARD_1}},
	{"refusal", set_up_refusal, NULL, {CARD, CARD_1}},
	{"hold", set_up_hold, NULL, {CARD, CARD_1, "0000:02:00.1"}},
	{"hold, free", set_up_hold_free, NULL, {CARD, CARD_1}},
	{"shell", set_up_shell, NULL, {CARD, CARD_1}},
	{"serial", set_up_serial, NULL, {CARD, CARD_1}},
	{"path", set_up_path, NULL, {CARD, CARD_1}},
	{"keep",
	 set_up_keep,
	 "keep 01:00.1\nbind 02:00.0 allow=console\n",
	 {CARD, "0000:02:00.0"}},
	{"critical",
	 set_up_path,
	 "critical path=00:01.0/00.0+10ee:5000 storage /\n",
	 {CARD, CARD_1}},
	{"framebuffer", set_up_framebuffer, NULL, {CARD, "0000:02:00.0"}},
	{"in hand", set_up_in_hand, NULL, {CARD, CARD_1}},
	{"in hand, refused", set_up_in_hand_refused, NULL, {CARD, CARD_1}},
	{"lost claim", set_up_lost_claim, NULL, {CARD, CARD_1}},
	{"5.10", set_up_old_kernel, NULL, {CARD, CARD_1}},
};

/* The same over the run for a card that appears after a boot without faults. */
static const struct {
	const char *name;
	const char *cmdline, *table; /* of the boot */
	const char *native; /* driver that is there before it */
	uint64_t delay;
	bool is_synthetic;
	enum fake_kernel kernel;
} late_scenarios[] = {
	{"late", "vfio-pci.ids=10ee:5000", NULL, NULL, 0, false, FAKE_6_1},
	{"late, coldplug", "quiet", "bind 10ee:*\n", NULL, 0, true, FAKE_6_1},
	{"late, grabbed", "quiet", "bind 10ee:*\n", "xclmgmt", 0, false, FAKE_6_1},
	{"late, slow", "vfio-pci.ids=10ee:5000", NULL, NULL, FAKE_SECOND, false,
	 FAKE_7_1},
	{"late, 5.10", "vfio-pci.ids=10ee:5000", NULL, "xclmgmt", 3000, false, FAKE_5_10},
};

/* Code 0 means that every device that a rule names is bound, even one that was not seen. */
static const char *check_code(struct fake_world *w, const struct fake_boot *boot,
			      const char *const *wanted)
{
	for (size_t i = 0; i < 3 && wanted[i] && boot->code == EXIT_ALL_BOUND; i++)
		if (strcmp(fake_driver_of(fake_find_device(&w->bus, wanted[i])),
			   "vfio-pci") != 0)
			return wanted[i];
	return NULL;
}

/* Sets the fault, runs and checks. True if the access number @at was reached. */
static bool run_scenario(size_t scenario, unsigned at, enum fake_fault fault)
{
	struct fake_world *w = fake_new();
	const char *name, *message;
	struct fake_boot boot;
	bool is_reached;

	fake_load_machine(w, "alveo", false);
	if (scenario < ARRAY_SIZE(scenarios)) {
		name = scenarios[scenario].name;
		scenarios[scenario].set_up(w);
		w->fault_at = at;
		w->fault = fault;
		fake_boot(w, scenarios[scenario].table, &boot);
		message = fake_check(w, &boot);
		if (!message)
			message = check_code(w, &boot, scenarios[scenario].wanted);
	} else {
		const char *const wanted[] = {CARD, NULL};
		struct fake_device *d = fake_find_device(&w->bus, CARD);
		size_t i = scenario - ARRAY_SIZE(scenarios);

		name = late_scenarios[i].name;
		w->cmdline = late_scenarios[i].cmdline;
		w->bus.kernel = late_scenarios[i].kernel;
		d->is_present = false;
		fake_find_device(&w->bus, CARD_1)->is_present = false;
		fake_boot(w, late_scenarios[i].table, &boot);
		fake_boot_free(&boot);
		w->trace[0] = '\0';
		w->log[0] = '\0';
		if (late_scenarios[i].native)
			fake_find_driver(&w->bus, late_scenarios[i].native)->state =
				DRIVER_REGISTERED;
		fake_plug(&w->bus, d, late_scenarios[i].delay);
		w->accesses = 0;
		w->fault_at = at;
		w->fault = fault;
		fake_late(w, NULL, CARD, late_scenarios[i].is_synthetic, &boot);
		message = boot.run.report.plan ? fake_check(w, &boot) : NULL;
		if (!message)
			message = check_code(w, &boot, wanted);
	}
	if (message)
		fail_msg("%s, access %u, fault %d: %s\n%s%s", name, at, fault, message,
			 w->trace, w->log);
	is_reached = w->accesses >= at;
	fake_boot_free(&boot);
	fake_free(w);
	return is_reached;
}

static void test_fault(void **state)
{
	enum fake_fault fault = (enum fake_fault)(uintptr_t)*state;

	for (size_t i = 0; i < ARRAY_SIZE(scenarios) + ARRAY_SIZE(late_scenarios); i++) {
		unsigned at = 1;

		while (run_scenario(i, at, fault))
			at++;
		/* All of a run was seen. */
		check_true("a whole run", at > 30);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"test_reads_and_starts", test_fault, NULL, NULL, (void *)FAULT_ERROR},
		{"test_writes", test_fault, NULL, NULL, (void *)FAULT_RESULT},
		{"test_lost_workers", test_fault, NULL, NULL, (void *)FAULT_LOST},
		{"test_hanging_jobs", test_fault, NULL, NULL, (void *)FAULT_HANG},
		{"test_hanging_jobs_after_the_deed", test_fault, NULL, NULL,
		 (void *)FAULT_HANG_DONE},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
