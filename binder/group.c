/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "group.h"

#include <errno.h>
#include <string.h>

#define BLOCKERS_SHOWN 8 /* by name */

bool driver_is_group_friendly(const char *driver)
{
	/*
	 * Drivers with driver_managed_dma (drivers/vfio/pci, drivers/pci/pci-stub.c,
	 * drivers/pci/pcie/portdrv.c). Variant drivers of vfio-pci have vfio in their names.
	 */
	return driver[0] == '\0' || strcmp(driver, "pci-stub") == 0 ||
	       strcmp(driver, "pcieport") == 0 || strstr(driver, "vfio") != NULL;
}

/*
 * Whether @d keeps its group from being used by a VM. Before udev a function without a
 * driver is expected to get its own one later, unless it is a bridge; once the machine is
 * up it is no obstacle.
 */
static bool is_blocker(const struct inventory *inv, const struct plan *plan,
		       const struct pci_device *d)
{
	if (plan && plan_is_leaving_host(plan, d))
		return false;
	if (d->driver[0] != '\0')
		return !driver_is_group_friendly(d->driver);
	return inv->is_early && !d->is_bridge && !d->is_held;
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
		group.reason = REASON_GROUP_NOT_VIABLE;
		group.detail = plan_blockers(&group, arena);
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
	const char *list = "";

	if (shown > BLOCKERS_SHOWN)
		shown = BLOCKERS_SHOWN - 1;
	for (size_t i = 0; i < shown && list; i++) {
		const char *join = i == 0			   ? ""
				   : i + 1 == group->blocker_count ? " and "
								   : ", ";
		char address[BDF_SIZE];

		list = arena_printf(arena, "%s%s%s", list, join,
				    bdf_format(group->blockers[i]->bdf, address));
	}
	if (list && shown < group->blocker_count)
		list = arena_printf(arena, "%s and %zu more", list,
				    group->blocker_count - shown);
	return list;
}
