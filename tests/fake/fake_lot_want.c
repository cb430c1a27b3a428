/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must become of a machine that was drawn. */
#include "fake_lot.h"

#include <stdio.h>
#include <string.h>

#define VFIO "vfio-pci"

static const struct fake_device *device_of(const struct lot *lot, size_t i)
{
	return &lot->w->bus.devices[i];
}

static bool is_screen(const struct fake_device *d)
{
	unsigned class = d->ids.class & 0xffff00;

	return !d->physfn &&
	       (class == 0x030000 || class == 0x030100 || class == 0x038000);
}

/* Whether it is, or will be, no use to the host; as far as it is decided. */
static bool is_leaving(const struct lot *lot, const struct lot_want *want, size_t device)
{
	const struct lot_want *w = &want[device];

	return strcmp(fake_driver_of(device_of(lot, device)), VFIO) == 0 ||
	       (w->is_planned &&
		(w->action == ACTION_BIND || w->action == ACTION_RECOVER));
}

static bool is_console_critical(const struct lot *lot, size_t device)
{
	for (size_t i = 0; i < lot->rule_count; i++)
		if (lot->rules[i].kind == RULE_CRITICAL &&
		    lot->rules[i].allow == ALLOW_CONSOLE &&
		    lot_is_active(lot, &lot->rules[i]) &&
		    lot_has_match(lot, &lot->rules[i], device))
			return true;
	return false;
}

/* Whether another one of the same use stays: a screen, or one with the console on it. */
static bool has_other(const struct lot *lot, const struct lot_want *want, size_t device,
		      bool is_console)
{
	for (size_t i = 0; i < lot->w->bus.device_count; i++)
		if (i != device && device_of(lot, i)->is_present &&
		    !is_leaving(lot, want, i) &&
		    (is_console ? is_console_critical(lot, i)
				: is_screen(device_of(lot, i))))
			return true;
	return false;
}

static enum reason refuse_critical(const struct lot *lot, const struct lot_want *want,
				   size_t device, unsigned allow)
{
	for (size_t i = 0; i < lot->order_count; i++) {
		const struct lot_rule *rule = &lot->rules[lot->order[i]];

		if (rule->kind != RULE_CRITICAL || !lot_is_active(lot, rule) ||
		    (allow & rule->allow) || !lot_has_match(lot, rule, device))
			continue;
		if (rule->allow != ALLOW_CONSOLE)
			return rule->allow == ALLOW_STORAGE ? REASON_CRITICAL_STORAGE
							    : REASON_CRITICAL_NETWORK;
		if (!has_other(lot, want, device, true))
			return REASON_CRITICAL_CONSOLE;
	}
	return REASON_NONE;
}

static bool has_direct_memory(const struct lot *lot, int group)
{
	char path[FAKE_PATH_SIZE];

	snprintf(path, sizeof(path), "kernel/iommu_groups/%d/reserved_regions", group);
	return fake_find_file(lot->w, WORLD_SYS, path) != NULL;
}

/* What a host lives on needs a word, or a rule of its own, to leave it with its group. */
static bool is_of_host(const struct lot *lot, size_t device, const struct lot_match *m)
{
	if (m->companions == LOT_NO_RULE || m->bind != LOT_NO_RULE || m->is_of_card)
		return false;
	for (size_t i = 0; i < lot->w->bus.device_count; i++) {
		const struct fake_device *d = device_of(lot, i);
		unsigned needed = d->ids.class >> 16 == 1	? ALLOW_STORAGE
				  : d->ids.class >> 16 == 2	? ALLOW_NETWORK
				  : d->ids.class >> 16 == 3	? ALLOW_CONSOLE
				  : d->ids.class >> 8 == 0x0c03 ? ALLOW_CONSOLE
								: 0;
		struct lot_match other;

		if (!needed || !d->is_present || strcmp(fake_driver_of(d), VFIO) == 0 ||
		    d->group != device_of(lot, device)->group ||
		    !bdf_is_same_slot(d->bdf, device_of(lot, device)->bdf) ||
		    (i != device && d->bdf.bus == 0))
			continue;
		lot_match(lot, i, &other);
		if (other.keep != LOT_NO_RULE ||
		    (other.bind == LOT_NO_RULE && !(m->allow & needed)))
			return true;
	}
	return false;
}

static enum reason refuse(const struct lot *lot, const struct lot_want *want,
			  size_t device, const struct lot_match *m)
{
	unsigned allow = m->allow;
	const struct fake_device *d = device_of(lot, device);
	const struct fake_framebuffer *fb = &lot->w->bus.framebuffer;
	bool has_group = d->group != FAKE_NO_GROUP && !lot->w->is_without_iommu;
	enum reason reason;

	if (lot_is_bridge_class(d) || d->has_bus_behind)
		return REASON_BRIDGE;
	if ((d->ids.class & 0xffff00) == 0x080600)
		return REASON_IOMMU_DEVICE;
	if (d->ids.vendor == 0x8086 &&
	    (d->ids.device == 0x37c8 || d->ids.device == 0x37c9) &&
	    !lot->has_denylist_off)
		return REASON_DENYLISTED;
	if (d->vf_count > 0)
		return REASON_HAS_VFS;
	if (is_of_host(lot, device, m))
		return REASON_HOST_DEVICE;
	if (!(allow & ALLOW_CONSOLE)) {
		if ((fb->driver && fb->on == d) || (is_screen(d) && d->is_boot_vga))
			return REASON_CONSOLE;
		if (is_screen(d) && !has_other(lot, want, device, false))
			return REASON_LAST_DISPLAY;
	}
	reason = refuse_critical(lot, want, device, allow);
	if (reason == REASON_NONE && lot->is_used[device] && !(allow & ALLOW_NETWORK))
		reason = REASON_CRITICAL_NETWORK;
	if (reason != REASON_NONE || lot->has_noiommu)
		return reason;
	if (lot->w->is_without_iommu)
		return REASON_IOMMU_OFF;
	if (has_group && has_direct_memory(lot, d->group))
		return REASON_RMRR;
	return !has_group && d->has_link ? REASON_NO_IOMMU_GROUP : REASON_NONE;
}

static void decide(const struct lot *lot, struct lot_want *want, size_t device)
{
	struct lot_want *w = &want[device];
	bool is_done = strcmp(fake_driver_of(device_of(lot, device)), VFIO) == 0;
	struct lot_match m;
	size_t bind;

	lot_match(lot, device, &m);
	bind = m.bind != LOT_NO_RULE	? m.bind
	       : m.claim == LOT_NO_RULE ? m.companions
					: LOT_NO_RULE;
	if (m.keep != LOT_NO_RULE)
		*w = (struct lot_want){true, ACTION_KEEP,
				       is_done ? REASON_KEPT_BOUND : REASON_KEPT, m.keep};
	else if (bind != LOT_NO_RULE && is_done)
		*w = (struct lot_want){true, ACTION_DONE, REASON_NONE, bind};
	else if (bind != LOT_NO_RULE)
		*w = (struct lot_want){false, ACTION_REFUSE,
				       refuse(lot, want, device, &m), bind};
	else if (m.claim != LOT_NO_RULE)
		*w = (struct lot_want){true, ACTION_REFUSE, REASON_IDENTITY_MISMATCH,
				       m.claim};
	if (bind == LOT_NO_RULE || w->is_planned)
		return;
	w->is_planned = true;
	if (w->reason == REASON_NONE)
		w->action =
			device_of(lot, device)->has_link ? ACTION_RECOVER : ACTION_BIND;
}

/* Another driver has it, or the plan leaves it alone: vfio-pci's own ids= must not. */
static bool is_ids_safe(const struct lot *lot, const struct lot_want *want)
{
	for (size_t i = 0; i < lot->w->bus.device_count; i++) {
		if (!want[i].is_planned || want[i].action == ACTION_BIND ||
		    want[i].action == ACTION_DONE)
			continue;
		for (size_t k = 0; k < lot->order_count; k++) {
			const struct lot_rule *rule = &lot->rules[lot->order[k]];

			if ((rule->place == PLACE_IDS || rule->place == PLACE_MODPROBE) &&
			    lot_has_match(lot, rule, i))
				return false;
		}
	}
	return true;
}

/* The first, in the order of addresses, of those that are there and not @done; SIZE_MAX: none. */
static size_t next_of(const struct lot *lot, const bool done[FAKE_DEVICES_MAX])
{
	size_t next = SIZE_MAX;

	for (size_t i = 0; i < lot->w->bus.device_count; i++)
		if (!done[i] && device_of(lot, i)->is_present &&
		    (next == SIZE_MAX ||
		     bdf_compare(device_of(lot, i)->bdf, device_of(lot, next)->bdf) < 0))
			next = i;
	return next;
}

void lot_work_out(const struct lot *lot, struct lot_want *want, bool *ret_is_ids_safe)
{
	bool is_decided[FAKE_DEVICES_MAX] = {false}, is_seen[FAKE_DEVICES_MAX] = {false};
	size_t next;

	memset(want, 0, lot->w->bus.device_count * sizeof(*want));
	while ((next = next_of(lot, is_decided)) != SIZE_MAX) {
		is_decided[next] = true;
		decide(lot, want, next);
	}
	/* What a former one left to the host may go by its own allow=console. */
	while ((next = next_of(lot, is_seen)) != SIZE_MAX) {
		is_seen[next] = true;
		if (want[next].action == ACTION_BIND ||
		    want[next].action == ACTION_RECOVER)
			decide(lot, want, next);
	}
	*ret_is_ids_safe = is_ids_safe(lot, want);
}

/* Before udev, what has no driver yet will have its own. */
static bool is_blocker(const struct lot *lot, const struct lot_want *want, size_t device)
{
	const struct fake_device *d = device_of(lot, device);
	const char *driver = fake_driver_of(d);

	if (!d->is_present || is_leaving(lot, want, device))
		return false;
	if (driver[0] != '\0')
		return strcmp(driver, "pcieport") != 0;
	return !lot_is_bridge_class(d) && !d->has_bus_behind;
}

void lot_count_blockers(const struct lot *lot, const struct lot_want *want,
			int blockers[static LOT_GROUPS_MAX])
{
	for (int group = 0; group < LOT_GROUPS_MAX; group++) {
		bool is_planned = false;
		int count = 0;

		for (size_t i = 0; i < lot->w->bus.device_count; i++) {
			if (device_of(lot, i)->group != group)
				continue;
			is_planned |= want[i].is_planned && want[i].action != ACTION_KEEP;
			count += is_blocker(lot, want, i);
		}
		blockers[group] = is_planned && !lot->w->is_without_iommu ? count : -1;
	}
}
