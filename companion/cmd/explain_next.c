/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to do next about a device: one command. */
#include <string.h>

#include "driver.h"
#include "explain.h"
#include "group.h"
#include "hotplug.h"

bool explain_is_stuck(const struct explain *e, const struct pci_device *d)
{
	return late_find(e->world, d->bdf, &d->ids) == LATE_STUCK;
}

/* "A B C", for a command line. */
static const char *join_addresses(struct explain *e, const struct plan_group *group,
				  const struct pci_device *but)
{
	const char *text = "";

	for (size_t i = 0; i < group->blocker_count && text; i++) {
		char address[BDF_SIZE];

		if (group->blockers[i] != but)
			text = arena_printf(e->arena, "%s%s%s", text, text[0] ? " " : "",
					    bdf_format(group->blockers[i]->bdf, address));
	}
	return text ? text : "";
}

static const char *next_of_refusal(struct explain *e, const struct plan_device *pd,
				   const char *address)
{
	switch (pd->reason) {
	case REASON_IOMMU_OFF:
		return "Next: \"earlybind cmdline\" says what to add and where";
	case REASON_IDENTITY_MISMATCH:
		return arena_printf(e->arena,
				    "Next: \"earlybind remove %.*s\", and \"earlybind "
				    "add %s\" if this device is meant",
				    (int)pd->rule->text.n, pd->rule->text.p, address);
	case REASON_HAS_VFS:
		return "Next: \"earlybind list\" shows the virtual functions to name instead";
	case REASON_BRIDGE:
	case REASON_IOMMU_DEVICE:
		return arena_printf(e->arena, "Next: \"earlybind remove %.*s\"",
				    (int)pd->rule->text.n, pd->rule->text.p);
	default:
		return "Next: \"earlybind plan\" shows it once the cause is gone";
	}
}

/* It is on vfio-pci or a variant. */
static const char *next_of_bound(struct explain *e, const struct pci_device *d)
{
	struct plan_group group;
	const char *others = "";

	if (d->iommu_group != NO_GROUP &&
	    group_make(&e->now, NULL, d->iommu_group, e->arena, &group) == 0)
		others = join_addresses(e, &group, d);
	if (others[0] == '\0')
		return "Next: nothing, a VM can have it";
	return arena_printf(e->arena,
			    "Next: \"earlybind add %s\" and \"earlybind apply\", if the "
			    "host can do without",
			    others);
}

static const char *next(struct explain *e, const struct pci_device *d,
			const struct plan_device *pd, const char *address)
{
	const struct boot_device *b = boot_find(&e->boot, d->bdf);

	if (explain_is_stuck(e, d))
		return "Next: power-cycle the machine; a reboot may hang";
	if (driver_is_vfio(d->driver) &&
	    (!pd || pd->action == ACTION_DONE || pd->action == ACTION_REFUSE))
		return next_of_bound(e, d);
	if (pd && pd->action == ACTION_DONE)
		return "Next: nothing, its driver is the one that the rule wants";
	if (e->next.policy.off)
		return "Next: reboot without rd.earlybind=0";
	if (!pd && d->is_bridge)
		return "Next: nothing, vfio-pci never takes a bridge";
	if (!pd)
		return arena_printf(e->arena,
				    "Next, to give it to a VM: \"earlybind add %s\"",
				    address);
	if (pd->action == ACTION_KEEP)
		return arena_printf(e->arena,
				    "Next: nothing, or \"earlybind remove %.*s\" if it "
				    "need not be kept",
				    (int)pd->rule->text.n, pd->rule->text.p);
	if (pd->action == ACTION_REFUSE)
		return next_of_refusal(e, pd, address);
	/* A rule wants it, and it is not there. */
	if (e->no_report || !b)
		return arena_printf(e->arena,
				    "Next: \"earlybind apply\" and a reboot, or for now "
				    "\"earlybind bind %s\"",
				    address);
	return arena_printf(e->arena, "Next: \"earlybind bind %s\", or a reboot",
			    address);
}

const char *explain_next(struct explain *e, const struct pci_device *d,
			 const struct plan_device *planned)
{
	char address[BDF_SIZE];
	const char *text = next(e, d, planned, bdf_format(d->bdf, address));

	return text ? text : "Next: \"earlybind plan\"";
}
