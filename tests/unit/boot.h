/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole boots of the Alveo machine, for the tests that look at what becomes of its card. */
#pragma once

#include "test.h"

#include "fake_check.h"

#define CARD	"0000:01:00.0"
#define CARD_1	"0000:01:00.1"
#define CMDLINE "intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001"

/* What a scenario expects of the card's first function. */
struct expectation {
	enum verdict verdict;
	enum reason reason;
	int error;
	const char *after;
};

static inline struct fake_world *alveo(const char *cmdline)
{
	struct fake_world *w = fake_new();

	fake_load_machine(w, "alveo", false);
	w->cmdline = cmdline;
	return w;
}

static inline struct fake_device *device(struct fake_world *w, const char *address)
{
	struct fake_device *d = fake_find_device(&w->bus, address);

	assert_non_null(d);
	return d;
}

/*
 * Runs with @event at the moment @delay (in us) and checks what must always hold. The outcome of
 * the card, NULL if there is none.
 */
static inline const struct outcome *boot_at(struct fake_world *w, uint64_t delay,
					    void (*event)(struct fake_bus *bus,
							  void *arg),
					    void *arg, struct fake_boot *ret)
{
	const char *message;

	fake_at(&w->bus, w->bus.now + delay, event, arg);
	fake_boot(w, NULL, ret);
	message = fake_check(w, ret);
	if (message)
		fail_msg("after %llu us: %s\n%s%s", (unsigned long long)delay, message,
			 w->trace, w->log);
	return fake_outcome(ret, CARD);
}

/* Runs, checks what must always hold, and the outcome of the card. */
static inline void boot_and_check(struct fake_world *w, const char *table,
				  struct expectation want)
{
	struct fake_boot boot;
	const struct outcome *o;
	const char *message;

	fake_boot(w, table, &boot);
	message = fake_check(w, &boot);
	if (message)
		fail_msg("%s\n%s%s", message, w->trace, w->log);
	o = fake_outcome(&boot, CARD);
	assert_non_null(o);
	check_string(w->trace, verdict_name(o->verdict), verdict_name(want.verdict));
	check_string(w->trace, reason_word(o->reason), reason_word(want.reason));
	check_int(w->trace, o->error, want.error);
	if (want.after)
		check_string(w->trace, o->after, want.after);
	check_int(w->log, boot.code == EXIT_ALL_BOUND,
		  boot.run.report.reason == REASON_NONE &&
			  report_is_all_bound(&boot.run.report));
	assert_int_equal(w->publishes, 1);
	fake_boot_free(&boot);
}

#define BOUND ((struct expectation){VERDICT_BOUND, REASON_NONE, 0, "vfio-pci"})
