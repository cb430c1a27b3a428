/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans of the Alveo machine by rules that say a place, a serial number or an ID. */
#pragma once

#include "machine.h"

#include "config.h"

#define CARD	"0000:01:00.0"
#define CARD_1	"0000:01:00.1"
#define GPU	"0000:02:00.0"
#define AUDIO	"0000:02:00.1"
#define DISPLAY "0000:00:02.0"
#define SERIAL	"00-0a-35-ff-ff-00-12-34"
#define OTHER	"00-0a-35-ff-ff-00-56-78"

static inline struct fake_device *device(struct machine *m, const char *address)
{
	return fake_find_device(&m->w->bus, address);
}

static inline void make_plan(struct machine *m, const char *rules)
{
	struct run_options options = {.cmdline = TEXT("")};

	assert_int_equal(run_read_policy(&m->w->world, &m->arena, &options, &m->run), 0);
	config_parse(&m->run.policy, SOURCE_CONFIG, TEXT("conf"), text_of(rules));
	check_int(rules, m->run.policy.problem_count, 0);
	assert_int_equal(run_plan(&m->w->world, &m->arena, &m->run), 0);
}

/* "ADDRESS action[ reason[ (detail)]]" per device. */
static inline const char *planned(const struct machine *m)
{
	static char buf[4096];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < m->run.plan.device_count; i++) {
		const struct plan_device *pd = &m->run.plan.devices[i];
		bool has_detail = pd->reason == REASON_IDENTITY_MISMATCH;
		char address[BDF_SIZE];

		used += (size_t)snprintf(
			buf + used, sizeof(buf) - used, "%s%s %s%s%s%s%s%s%s%s",
			i ? "; " : "", bdf_format(pd->device->bdf, address),
			action_name(pd->action), pd->reason ? " " : "",
			reason_word(pd->reason), has_detail ? " (" : "",
			has_detail ? pd->detail : "", has_detail ? ")" : "",
			pd->note ? ": " : "", pd->note ? pd->note : "");
	}
	return buf;
}

/* A disk controller is added: what was bus 01 is now bus 03, and bus 01 is the new one. */
static inline void renumber(struct machine *m)
{
	struct fake_device *port, *disk;

	device(m, "0000:00:01.0")->bus_behind = 3;
	device(m, CARD_1)->bdf.bus = 3;
	device(m, CARD)->bdf.bus = 3;
	port = fake_add_device(&m->w->bus, "0000:00:1c.0",
			       (struct pci_ids){0x8086, 0xa338, 0, 0, 0x060400}, 20);
	port->has_bus_behind = true;
	port->bus_behind = 1;
	disk = fake_add_device(&m->w->bus, CARD,
			       (struct pci_ids){0x144d, 0xa80a, 0, 0, 0x010802}, 21);
	disk->group = 21;
}
