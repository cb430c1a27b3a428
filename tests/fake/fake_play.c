/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenarios are played, and what came of them is checked. */
#include <string.h>

#include "fake_report.h"
#include "fake_scenarios.h"

#define CARD   "0000:01:00.0"
#define CARD_1 "0000:01:00.1"

static void inject(struct fake_world *w, const struct fake_injection *injection)
{
	w->accesses = 0;
	w->fault_count = 0;
	w->fault_at = injection->at;
	w->fault = injection->fault;
	w->second_at = injection->second_at;
	w->second = injection->second;
}

static void play_late(struct fake_world *w, const struct fake_scenario *scenario,
		      const struct fake_injection *injection, struct fake_boot *ret)
{
	struct fake_device *d = fake_find_device(&w->bus, CARD);

	d->is_present = false;
	fake_find_device(&w->bus, CARD_1)->is_present = false;
	fake_boot(w, scenario->table, ret);
	fake_boot_free(ret);
	w->trace[0] = '\0';
	w->log[0] = '\0';
	w->publishes = 0;
	if (scenario->set_up)
		scenario->set_up(w);
	fake_plug(&w->bus, d, scenario->delay);
	inject(w, injection);
	fake_late(w, NULL, CARD, scenario->is_synthetic, ret);
}

/* It is put together once; what points into it is right in the same place only. */
static struct fake_world *new_alveo(void)
{
	static struct fake_world *place;
	static char copy[offsetof(struct fake_world, trace)];
	struct fake_world *w = fake_new();

	if (w == place) {
		memcpy(w, copy, sizeof(copy));
		return w;
	}
	fake_load_machine(w, "alveo", false);
	memcpy(copy, w, sizeof(copy));
	place = w;
	return w;
}

struct fake_world *fake_play(const struct fake_scenario *scenario,
			     const struct fake_injection *injection,
			     struct fake_boot *ret)
{
	struct fake_world *w = new_alveo();

	w->cmdline = scenario->cmdline;
	w->bus.kernel = scenario->kernel;
	w->is_pid1 = scenario->is_pid1;
	if (scenario->is_late) {
		play_late(w, scenario, injection, ret);
		return w;
	}
	if (scenario->set_up)
		scenario->set_up(w);
	inject(w, injection);
	fake_boot(w, scenario->table, ret);
	return w;
}

const char *fake_check_scenario(struct fake_world *w,
				const struct fake_scenario *scenario,
				const struct fake_boot *boot)
{
	const char *message = NULL;
	bool has_note;

	/* A late device that is left alone has no report. */
	if (scenario->is_late && w->publishes == 0 && w->trace[0] == '\0')
		return NULL;
	if (boot->run.report.plan)
		message = fake_check(w, boot);
	if (!message)
		message = fake_check_report(w, boot);
	/* What is said of it, where a variant is not to be had. */
	has_note = boot->run.plan.device_count > 0 && boot->run.plan.devices[0].note;
	if (message || boot->code != EXIT_ALL_BOUND || fake_is_misled(w))
		return message;
	for (size_t i = 0; i < FAKE_WANTED_MAX && scenario->wanted[i]; i++) {
		const struct fake_device *d =
			fake_find_device(&w->bus, scenario->wanted[i]);

		const char *driver = i == 0 && scenario->driver && !has_note
					     ? scenario->driver
					     : "vfio-pci";

		if (!d || strcmp(fake_driver_of(d), driver) != 0)
			return "code 0, but not all that is wanted is bound";
	}
	return NULL;
}
