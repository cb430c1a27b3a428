/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOMMU groups of the devices: who is in the way, and what the firmware keeps for itself. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine_check.h"
#include "group.h"
#include "message.h"

/* Whether an earlier target is in the same group: each group once. */
static bool is_seen(const struct doctor *d, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (d->targets[i].device->iommu_group ==
		    d->targets[at].device->iommu_group)
			return true;
	return false;
}

static bool is_target(const struct doctor *d, const struct pci_device *device)
{
	for (size_t i = 0; i < d->target_count; i++)
		if (d->targets[i].device == device)
			return true;
	return false;
}

/* "0000:02:00.0 (nvidia), ..." of those that are no targets themselves. */
static const char *list_blockers(struct doctor *d, const struct plan_group *group,
				 bool *ret_is_elsewhere, size_t *ret_count)
{
	const char *list = "";

	*ret_is_elsewhere = false;
	*ret_count = 0;
	for (size_t i = 0; i < group->blocker_count; i++) {
		const struct pci_device *b = group->blockers[i];
		bool is_same_card = false;
		char address[BDF_SIZE];

		if (is_target(d, b))
			continue;
		for (size_t k = 0; k < d->target_count; k++)
			is_same_card |=
				bdf_is_same_slot(b->bdf, d->targets[k].device->bdf);
		*ret_is_elsewhere |= !is_same_card;
		list = doctor_print(d, "%s%s%s (%s)", list, *list ? ", " : "",
				    bdf_format(b->bdf, address), doctor_driver(b));
		(*ret_count)++;
	}
	return list;
}

/* "0000:02:00.*" */
static const char *card_of(struct doctor *d, const struct pci_device *device)
{
	char address[BDF_SIZE];
	const char *text = bdf_format(device->bdf, address);

	return doctor_print(d, "%.*s*", (int)strlen(text) - 1, text);
}

static void check_group(struct doctor *d, const struct target *t)
{
	int id = t->device->iommu_group;
	struct plan_group group;
	bool is_elsewhere;
	const char *list;
	size_t count;

	if (group_make(&d->run.inventory, &d->run.plan, id, d->arena, &group) < 0)
		return;
	list = list_blockers(d, &group, &is_elsewhere, &count);
	if (count == 0)
		doctor_say(d, FINDING_PASS,
			   "group %d, with %s: nothing of the host is in it", id,
			   t->name);
	else if (is_elsewhere)
		doctor_say(
			d, FINDING_FAIL,
			"group %d, with %s, is not viable: %s belong%s to the host, and "
			"the slots above do not isolate them (no ACS): bind %s too, use "
			"another slot, or enable ACS in the firmware",
			id, t->name, list, count == 1 ? "s" : "",
			count == 1 ? "it" : "them");
	else
		doctor_say(
			d, FINDING_FAIL,
			"group %d, with %s, is not viable: %s of the same card belong%s to "
			"the host: let the rules name all its functions, %s",
			id, t->name, list, count == 1 ? "s" : "", card_of(d, t->device));
}

void doctor_groups(struct doctor *d)
{
	for (size_t i = 0; i < d->target_count; i++) {
		const struct target *t = &d->targets[i];

		if (t->device->iommu_group == NO_GROUP) {
			if (d->run.inventory.iommu.is_on)
				doctor_say(
					d, FINDING_FAIL,
					"%s is in no IOMMU group: the IOMMU does not "
					"cover its slot; use another one, or look for it "
					"in the firmware's setup",
					t->name);
			continue;
		}
		if (!is_seen(d, i))
			check_group(d, t);
	}
}

/* ---- reserved regions -------------------------------------------------------------------- */

void doctor_reserved(struct doctor *d)
{
	size_t groups = 0, read = 0, failed = 0;

	for (size_t i = 0; i < d->target_count; i++) {
		const struct target *t = &d->targets[i];
		struct text regions, start, end;
		char path[JOB_PATH_SIZE];

		if (t->device->iommu_group == NO_GROUP || is_seen(d, i))
			continue;
		groups++;
		snprintf(path, sizeof(path), "kernel/iommu_groups/%d/reserved_regions",
			 t->device->iommu_group);
		if (doctor_read(d, WORLD_SYS, path, &regions) < 0)
			continue;
		read++;
		if (!regions_find_direct(regions, &start, &end))
			continue;
		failed++;
		doctor_say(
			d, FINDING_FAIL,
			"%s: the firmware keeps memory for a device of its group %d (%.*s "
			"to %.*s, type direct: RMRR), and the kernel gives it to no VM: "
			"exclude the slot in the firmware's setup, turn off what uses it "
			"(a BMC, legacy USB, an option ROM), or ask its maker",
			t->name, t->device->iommu_group, (int)start.n, start.p,
			(int)end.n, end.p);
	}
	if (read < groups)
		doctor_say(d, FINDING_UNKNOWN,
			   "the reserved memory of %zu group%s cannot be read",
			   groups - read, plural(groups - read));
	else if (groups > 0 && failed == 0)
		doctor_say(d, FINDING_PASS,
			   "the firmware keeps no memory for the devices");
}

/* ---- functions of the same card ---------------------------------------------------------- */

static bool is_left(const struct doctor *d, const struct pci_device *device)
{
	for (size_t i = 0; i < d->target_count; i++)
		if (d->targets[i].planned && d->targets[i].device != device &&
		    bdf_is_same_slot(d->targets[i].device->bdf, device->bdf))
			return !device->is_bridge && !device_is_on_vfio(device);
	return false;
}

void doctor_functions(struct doctor *d)
{
	const struct inventory *inv = &d->run.inventory;
	size_t left = 0;

	for (size_t i = 0; i < inv->count; i++) {
		const struct pci_device *device = &inv->devices[i];
		bool is_named = false;

		for (size_t k = 0; k < d->run.plan.device_count; k++)
			is_named |= d->run.plan.devices[k].device == device;
		if (is_named || is_target(d, device) || !is_left(d, device))
			continue;
		left++;
		doctor_say(
			d, FINDING_NOTE,
			"%s (%s) is on a card that rules bind, but no rule names it: most "
			"cards must be passed on with all their functions",
			doctor_device(d, device), doctor_driver(device));
	}
	if (left == 0 && d->target_count > 0)
		doctor_say(d, FINDING_PASS, "rules name all functions of each card");
}
