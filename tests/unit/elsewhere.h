/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines on which cards are not where the rules say. */
#pragma once

#include "identity.h"
#include "plan.h"

#define FAR   "0000:41:00.0"
#define FAR_1 "0000:41:00.1"

/* A card on a bus of its own, behind a port at 00:1c.0. */
static inline struct fake_device *add(struct machine *m, const char *address,
				      uint16_t vendor, uint16_t number,
				      const char *serial)
{
	struct fake_device *d =
		fake_add_device(&m->w->bus, address,
				(struct pci_ids){vendor, number, 0, 0, 0x120000}, 40);

	d->serial_number = serial;
	return d;
}

/* The Alveo card has moved, and a disk controller is where it was. */
static inline void moved(struct machine *m)
{
	renumber(m);
	device(m, "0000:03:00.0")->serial_number = SERIAL;
}

static inline void replaced(struct machine *m)
{
	device(m, CARD)->serial_number = OTHER;
	add(m, FAR, 0x10ee, 0x5000, SERIAL);
	add(m, FAR_1, 0x10ee, 0x5001, SERIAL);
}

/* Nothing is where it was. */
static inline void pulled(struct machine *m)
{
	replaced(m);
	fake_vanish(&m->w->bus, device(m, CARD));
	fake_vanish(&m->w->bus, device(m, CARD_1));
}

static inline void several(struct machine *m)
{
	static const char *const places[] = {"0000:42:00.0", "0000:43:00.0",
					     "0000:44:00.0"};

	pulled(m);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		add(m, places[i], 0x10ee, 0x5000, OTHER);
}

static inline void reflashed(struct machine *m)
{
	struct fake_device *d = device(m, CARD);

	d->ids.device = 0xd000;
	d->serial_number = SERIAL;
	fake_bind_now(d, NULL);
}

static inline void reflashed_and_moved(struct machine *m)
{
	pulled(m);
	device(m, FAR)->ids.device = 0xd000;
}

static inline void slots(struct machine *m)
{
	pulled(m);
	fake_add_slot(&m->w->bus, "4", "0000:01:00");
	fake_add_slot(&m->w->bus, "5", "0000:41:00");
}

/* What has it does not say so. */
static inline void hangs(struct machine *m)
{
	pulled(m);
	device(m, FAR)->serial_number = NULL;
	device(m, FAR)->config_time = FAKE_FOREVER;
	device(m, FAR_1)->serial_number = NULL;
	device(m, FAR_1)->config_time = FAKE_FOREVER;
}

/* "RULE: MESSAGE" per rule that names nothing. */
static inline const char *missing(const struct machine *m)
{
	static char buf[4096];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < m->run.policy.rule_count; i++) {
		char message[REASON_MESSAGE_SIZE];

		if (report_has_rule_missing(&m->run.report, i))
			used += (size_t)snprintf(
				buf + used, sizeof(buf) - used, "%s%s", used ? "; " : "",
				reason_missing(m->run.plan.moved[i].elsewhere, message));
	}
	return buf;
}

#define MISSING_ASK ": look it up with \"earlybind list\", or mark the rule optional"
