/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "group.h"

#include <errno.h>
#include <string.h>

#include "accel.h"
#include "driver.h"

#define BLOCKERS_SHOWN 8 /* by name */

bool driver_is_group_friendly(const char *driver)
{
	/*
	 * Drivers with driver_managed_dma (drivers/vfio/pci, drivers/pci/pci-stub.c,
	 * drivers/pci/pcie/portdrv.c).
	 */
	return driver[0] == '\0' || strcmp(driver, "pci-stub") == 0 ||
	       strcmp(driver, "pcieport") == 0 || driver_is_vfio(driver);
}

/*
 * Whether @d keeps its group from being used by a VM. Before udev a function without a
 * driver is expected to get its own one later, unless it is a bridge; once the machine is
 * up it is no obstacle.
 */
static bool is_blocker(const struct inventory *inv, const struct plan *plan,
		       const struct pci_device *d)
{
	const struct plan_device *pd = plan ? plan_find(plan, d) : NULL;

	/* It goes with its controller, which is in the same group. */
	if (inventory_find_vmd(inv, d))
		return false;
	if (pd && (pd->action == ACTION_BIND || pd->action == ACTION_RECOVER))
		return !driver_is_group_friendly(pd->wanted);
	if (plan && plan->is_foreseen && driver_is_vfio(d->driver))
		return !plan_is_leaving_host(plan, d);
	if (d->driver[0] != '\0')
		return !driver_is_group_friendly(d->driver);
	return inv->is_early && !d->is_bridge && !d->is_held;
}

/*
 * XRT gives a VM the user function only, which its management function keeps from that where
 * both are in one group: pci_device_group() (drivers/iommu/iommu.c) puts all functions of a
 * device without ACS of their own into one. NULL: no blocker is one.
 */
static const struct pci_device *find_management(const struct plan_group *group,
						const struct plan *plan,
						struct pci_device *const *members,
						size_t count)
{
	for (size_t i = 0; i < group->blocker_count; i++) {
		const struct pci_device *b = group->blockers[i];

		if (accel_role(&b->ids) != ACCEL_MGMT)
			continue;
		for (size_t k = 0; k < count; k++) {
			const struct pci_device *d = members[k];
			bool is_given = plan ? plan_is_leaving_host(plan, d)
					     : driver_is_vfio(d->driver);

			if (is_given && d != b && bdf_is_same_slot(d->bdf, b->bdf) &&
			    accel_role(&d->ids) == ACCEL_USER)
				return b;
		}
	}
	return NULL;
}

/* Why the group is not viable. */
static void explain_blockers(struct plan_group *group,
			     const struct pci_device *management, struct arena *arena)
{
	struct plan_group others = *group;
	char address[BDF_SIZE];
	const char *more;

	group->reason = REASON_GROUP_NOT_VIABLE;
	group->detail = plan_blockers(group, arena);
	if (!management)
		return;
	others.blockers =
		arena_alloc(arena, group->blocker_count, sizeof(struct pci_device *));
	if (!others.blockers)
		return;
	others.blocker_count = 0;
	for (size_t i = 0; i < group->blocker_count; i++)
		if (group->blockers[i] != management)
			others.blockers[others.blocker_count++] = group->blockers[i];
	more = others.blocker_count > 0 ? plan_blockers(&others, arena) : "";
	group->reason = REASON_MANAGEMENT_IN_GROUP;
	group->detail = arena_printf(arena, "%s, the card's management function%s%s%s,",
				     bdf_format(management->bdf, address),
				     more && more[0] ? " (as well as " : "",
				     more ? more : "", more && more[0] ? ")" : "");
}

int group_make(const struct inventory *inv, const struct plan *plan, int id,
	       struct arena *arena, struct plan_group *ret)
{
	struct plan_group group = {.id = id};
	struct pci_device *const *members;
	size_t count;

	members = inventory_group(inv, id, &count);
	group.blockers = arena_alloc(arena, count, sizeof(struct pci_device *));
	if (!group.blockers)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (is_blocker(inv, plan, members[i]))
			group.blockers[group.blocker_count++] = members[i];
	group.is_viable = group.blocker_count == 0;
	if (!group.is_viable) {
		explain_blockers(&group, find_management(&group, plan, members, count),
				 arena);
	} else if (iommu_is_interrupt_unsafe(&inv->iommu)) {
		group.reason = REASON_NO_REMAPPING;
		group.detail = iommu_why_not_remapped(&inv->iommu);
	}
	*ret = group;
	return 0;
}

const char *plan_blockers(const struct plan_group *group, struct arena *arena)
{
	size_t shown = group->blocker_count;

	if (shown > BLOCKERS_SHOWN)
		shown = BLOCKERS_SHOWN - 1;
	return addresses_format(group->blockers, shown, group->blocker_count, arena);
}
