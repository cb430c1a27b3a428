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

static bool is_bridge_class(const struct fake_device *d)
{
	return (d->ids.class & 0xff0000) == 0x060000 &&
	       (d->ids.class & 0xffff00) != 0x068000;
}

static bool is_screen(const struct fake_device *d)
{
	unsigned class = d->ids.class & 0xffff00;

	return class == 0x030000 || class == 0x030100 || class == 0x038000;
}

bool lot_path_of(const struct lot *lot, size_t device, struct lot_path *ret)
{
	const struct fake_device *d = device_of(lot, device);
	uint8_t hops[LOT_HOPS_MAX];
	struct lot_path path = {.count = 0};

	/* Below another bus than its card's, nothing leads to a virtual function. */
	if (d->physfn && d->bdf.bus >= 0x80)
		return false;
	for (int at = (int)device; at >= 0; at = lot->parents[at]) {
		path.root = device_of(lot, (size_t)at)->bdf;
		hops[path.count++] =
			(uint8_t)(path.root.device << 3 | path.root.function);
	}
	/* The last one is the root itself. */
	path.count--;
	for (size_t i = 0; i < path.count; i++)
		path.hops[i] = hops[path.count - 1 - i];
	*ret = path;
	return true;
}

/* Whether the function is at the end of the path, or behind it. */
static bool is_led_to(const struct lot *lot, const struct lot_rule *rule, size_t device)
{
	const struct lot_path *pattern = &rule->path;
	struct lot_path path;
	unsigned want, got;

	if (is_bridge_class(device_of(lot, device)) || !lot_path_of(lot, device, &path) ||
	    path.count < pattern->count)
		return false;
	for (size_t i = 0; i <= pattern->count; i++) {
		want = i == 0 ? (unsigned)pattern->root.device << 3 |
					pattern->root.function
			      : pattern->hops[i - 1];
		got = i == 0 ? (unsigned)path.root.device << 3 | path.root.function
			     : path.hops[i - 1];
		if (i == pattern->count && pattern->is_any)
			got = (got & ~7u) | (want & 7u);
		if (want != got)
			return false;
	}
	return pattern->root.domain == path.root.domain &&
	       pattern->root.bus == path.root.bus;
}

static uint64_t own_serial(const struct lot *lot, size_t device)
{
	const char *power = device_of(lot, device)->power_state;

	return power && strcmp(power, "D3cold") == 0 ? 0 : lot->serials[device];
}

/* Its own, or that of function 0. */
static uint64_t serial_of(const struct lot *lot, size_t device)
{
	struct bdf first = device_of(lot, device)->bdf;
	uint64_t serial = own_serial(lot, device);

	if (is_bridge_class(device_of(lot, device)))
		return 0;
	first.function = 0;
	for (size_t i = 0; i < lot->w->bus.device_count && serial == 0; i++)
		if (device_of(lot, i)->is_present &&
		    bdf_compare(device_of(lot, i)->bdf, first) == 0)
			serial = own_serial(lot, i);
	return serial;
}

static bool has_address(const struct lot_rule *rule, struct bdf bdf)
{
	const struct bdf *want = &rule->address;

	return want->domain == bdf.domain && want->bus == bdf.bus &&
	       want->device == bdf.device &&
	       (rule->is_any_function || want->function == bdf.function);
}

static bool has_field(uint32_t want, uint32_t got)
{
	return want == PCI_ANY || want == got;
}

bool lot_has_match(const struct lot *lot, const struct lot_rule *rule, size_t device)
{
	const struct fake_device *d = device_of(lot, device);
	const struct pci_match *id = &rule->id;

	if (!d->is_present ||
	    ((rule->terms & TERM_ADDRESS) && !has_address(rule, d->bdf)))
		return false;
	if ((rule->terms & TERM_ID) &&
	    !(has_field(id->vendor, d->ids.vendor) &&
	      has_field(id->device, d->ids.device) &&
	      has_field(id->subvendor, d->ids.subvendor) &&
	      has_field(id->subdevice, d->ids.subdevice) &&
	      (id->class & id->class_mask) == (d->ids.class & id->class_mask)))
		return false;
	if ((rule->terms & TERM_CLASS) &&
	    rule->class != (d->ids.class & rule->class_mask))
		return false;
	if ((rule->terms & TERM_PATH) && !is_led_to(lot, rule, device))
		return false;
	return !(rule->terms & TERM_SERIAL) || rule->serial == serial_of(lot, device);
}

bool lot_is_active(const struct lot *lot, const struct lot_rule *rule)
{
	return rule->place != PLACE_OTHER_PROFILE &&
	       (rule->place != PLACE_PROFILE || lot->is_profile_on);
}

/* Whether the rule expects another device where this one is. */
static bool is_claim(const struct lot *lot, const struct lot_rule *rule, size_t device)
{
	if ((rule->terms & TERM_ADDRESS) &&
	    has_address(rule, device_of(lot, device)->bdf))
		return true;
	if (!(rule->terms & TERM_PATH) || !is_led_to(lot, rule, device))
		return false;
	for (size_t i = 0; i < lot->w->bus.device_count; i++)
		if (lot_has_match(lot, rule, i))
			return false;
	return true;
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

static enum reason refuse(const struct lot *lot, const struct lot_want *want,
			  size_t device, unsigned allow)
{
	const struct fake_device *d = device_of(lot, device);
	const struct fake_framebuffer *fb = &lot->w->bus.framebuffer;
	bool has_group = d->group != FAKE_NO_GROUP && !lot->w->is_without_iommu;
	enum reason reason;

	if (is_bridge_class(d) || d->has_bus_behind)
		return REASON_BRIDGE;
	if ((d->ids.class & 0xffff00) == 0x080600)
		return REASON_IOMMU_DEVICE;
	if (d->ids.vendor == 0x8086 &&
	    (d->ids.device == 0x37c8 || d->ids.device == 0x37c9) &&
	    !lot->has_denylist_off)
		return REASON_DENYLISTED;
	if (d->vf_count > 0)
		return REASON_HAS_VFS;
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
	static const size_t none = SIZE_MAX;
	size_t keep = none, bind = none, claim = none;
	struct lot_want *w = &want[device];
	bool is_done = strcmp(fake_driver_of(device_of(lot, device)), VFIO) == 0;
	unsigned allow = 0;

	for (size_t i = 0; i < lot->order_count; i++) {
		const struct lot_rule *rule = &lot->rules[lot->order[i]];

		if (rule->kind == RULE_CRITICAL || !lot_is_active(lot, rule))
			continue;
		if (!lot_has_match(lot, rule, device)) {
			if (rule->kind == RULE_BIND && claim == none &&
			    is_claim(lot, rule, device))
				claim = i;
		} else if (rule->kind == RULE_KEEP) {
			keep = keep == none ? i : keep;
		} else {
			bind = bind == none ? i : bind;
			allow |= rule->allow;
		}
	}
	if (keep != none)
		*w = (struct lot_want){true, ACTION_KEEP,
				       is_done ? REASON_KEPT_BOUND : REASON_KEPT, keep};
	else if (bind != none && is_done)
		*w = (struct lot_want){true, ACTION_DONE, REASON_NONE, bind};
	else if (bind != none)
		*w = (struct lot_want){false, ACTION_REFUSE,
				       refuse(lot, want, device, allow), bind};
	else if (claim != none)
		*w = (struct lot_want){true, ACTION_REFUSE, REASON_IDENTITY_MISMATCH,
				       claim};
	if (bind == none || w->is_planned)
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

void lot_work_out(const struct lot *lot, struct lot_want *want, bool *ret_is_ids_safe)
{
	size_t count = lot->w->bus.device_count;
	bool is_decided[FAKE_DEVICES_MAX] = {false};

	memset(want, 0, count * sizeof(*want));
	/* In the order of addresses. */
	for (size_t n = 0; n < count; n++) {
		size_t next = SIZE_MAX;

		for (size_t i = 0; i < count; i++)
			if (!is_decided[i] && device_of(lot, i)->is_present &&
			    (next == SIZE_MAX ||
			     bdf_compare(device_of(lot, i)->bdf,
					 device_of(lot, next)->bdf) < 0))
				next = i;
		if (next == SIZE_MAX)
			break;
		is_decided[next] = true;
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
	return !is_bridge_class(d) && !d->has_bus_behind;
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
