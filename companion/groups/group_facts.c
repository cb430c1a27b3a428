/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "group_facts.h"

#include <errno.h>
#include <stdio.h>

#include "config_space.h"

size_t group_facts_find(const struct group_facts *facts, struct bdf bdf)
{
	const struct pci_device *d = inventory_find(facts->inventory, bdf);

	return d ? (size_t)(d - facts->inventory->devices) : NO_FUNCTION;
}

/*
 * The bridge above, by the link of the function. Behind a VMD controller the path begins anew:
 * ".../0000:00:0e.0/pci10000:e0/10000:e0:06.0" (x86: pci_real_dma_dev()).
 */
static void find_above(struct world *world, const struct group_facts *facts,
		       struct group_function *f)
{
	char path[JOB_PATH_SIZE], target[LINK_SIZE], address[BDF_SIZE];
	struct text rest, part;
	struct bdf bdf;

	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s",
		 bdf_format(f->bdf, address));
	if (world->ops->target(world, WORLD_SYS, path, target, sizeof(target)) < 0)
		return;
	rest = text_of(target);
	while (text_cut(&rest, '/', &part)) {
		if (bdf_parse(part, &bdf) == 0) {
			if (bdf_compare(bdf, f->bdf) != 0)
				f->above = group_facts_find(facts, bdf);
		} else if (text_has_prefix(part, "pci") && f->above != NO_FUNCTION) {
			f->dma_as = f->above;
			f->above = NO_FUNCTION;
		}
	}
}

static bool is_attribute(struct world *world, struct bdf bdf, const char *name,
			 const char *prefix)
{
	char path[JOB_PATH_SIZE], buf[64];
	struct text t;

	return world_read_text(world, WORLD_SYS, inventory_attribute(bdf, name, path),
			       buf, sizeof(buf), &t) == 0 &&
	       text_has_prefix(t, prefix);
}

static bool is_asleep(struct world *world, struct bdf bdf)
{
	return is_attribute(world, bdf, "power_state", "D3") ||
	       is_attribute(world, bdf, "power/runtime_status", "susp") ||
	       is_attribute(world, bdf, "power/runtime_status", "resum");
}

static enum unread read_config(struct world *world, struct group_function *f)
{
	char path[JOB_PATH_SIZE], buf[CONFIG_SPACE_SIZE];
	struct text t;

	f->is_unknown = true;
	if (is_asleep(world, f->bdf))
		return UNREAD_ASLEEP;
	t = world_read_start(world, WORLD_SYS,
			     inventory_attribute(f->bdf, "config", path), buf,
			     sizeof(buf));
	if (config_space_read(t, f))
		return UNREAD_NOTHING;
	return t.n == 64 ? UNREAD_SHORT : UNREAD_MISSING;
}

static bool is_virtual(struct world *world, struct bdf bdf)
{
	char path[JOB_PATH_SIZE], target[LINK_SIZE];

	return world->ops->link(world, WORLD_SYS,
				inventory_attribute(bdf, "physfn", path), target,
				sizeof(target)) >= 0;
}

/* Virtual functions count as single ones (drivers/pci/iov.c: pci_iov_add_virtfn()). */
static enum unread learn(struct world *world, struct group_facts *facts, size_t at)
{
	const struct pci_device *d = &facts->inventory->devices[at];
	struct group_function *f = &facts->functions[at];
	enum unread r;
	bool has_sibling =
		(at > 0 && bdf_is_same_slot(d[-1].bdf, d->bdf)) ||
		(at + 1 < facts->inventory->count && bdf_is_same_slot(d[1].bdf, d->bdf));

	*f = (struct group_function){.bdf = d->bdf,
				     .ids = d->ids,
				     .above = NO_FUNCTION,
				     .dma_as = NO_FUNCTION,
				     .is_bridge = d->is_bridge,
				     .type = PCIE_ENDPOINT};
	find_above(world, facts, f);
	if (!d->is_bridge && !has_sibling)
		return UNREAD_NOTHING;
	if (!d->is_bridge && is_virtual(world, d->bdf))
		return UNREAD_NOTHING;
	/* All above function 0 are (drivers/pci/probe.c: pci_scan_slot()). */
	f->is_multifunction = d->bdf.function > 0;
	r = read_config(world, f);
	facts->has_config |= r != UNREAD_MISSING;
	return r;
}

static int look_at_iommu(void *arg, const char *name)
{
	struct group_facts *facts = arg;
	struct text t = text_of(name);

	facts->has_amd_iommu |= text_has_prefix(t, "ivhd");
	facts->is_known_kind |=
		text_has_prefix(t, "ivhd") || text_has_prefix(t, "dmar") ||
		text_has_prefix(t, "smmu") || text_has_prefix(t, "virtio");
	return 0;
}

int group_facts_read(struct world *world, struct arena *arena,
		     const struct inventory *inventory, struct group_facts *ret)
{
	*ret = (struct group_facts){.inventory = inventory};
	(void)world->ops->list(world, WORLD_SYS, "class/iommu", look_at_iommu, ret);
	ret->functions = arena_alloc(arena, inventory->count, sizeof(*ret->functions));
	ret->unread = arena_alloc(arena, inventory->count, sizeof(*ret->unread));
	if (!ret->functions || !ret->unread)
		return -ENOMEM;
	for (size_t i = 0; i < inventory->count; i++)
		ret->unread[i] = learn(world, ret, i);
	return 0;
}

const char *unread_sentence(struct arena *arena, enum unread why, struct bdf bdf,
			    const char *what)
{
	char address[BDF_SIZE];

	switch (why) {
	case UNREAD_ASLEEP:
		return arena_printf(
			arena,
			"reading %s would wake it: write \"on\" to "
			"/sys/bus/pci/devices/%s/power/control, and run this again",
			what, bdf_format(bdf, address));
	case UNREAD_SHORT:
		return arena_printf(arena, "only root can read %s: run this as root",
				    what);
	case UNREAD_MISSING:
	case UNREAD_NOTHING:
		break;
	}
	return arena_printf(arena, "%s cannot be read here", what);
}
