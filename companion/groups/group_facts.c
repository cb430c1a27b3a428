/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "group_facts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "compiler.h"
#include "facts.h"
#include "predict.h"
#include "text.h"

/* ---- configuration space ---------------------------------------------------------------- */

/* PCI Local Bus Specification and PCI Express Base Specification: offsets and values. */
#define HEADER_SIZE	  64
#define STATUS		  0x06
#define STATUS_HAS_LIST	  0x10
#define HEADER_TYPE	  0x0e
#define TYPE_BRIDGE	  0x01
#define MULTIFUNCTION	  0x80
#define SECONDARY_BUS	  0x19
#define LIST_START	  0x34
#define LIST_MAX	  48 /* the kernel's PCI_FIND_CAP_TTL */
#define ID_PCIE		  0x10
#define PCIE_FLAGS	  2
#define PCIE_HAS_SLOT	  0x0100
#define CONVENTIONAL_SIZE 256
#define ID_ACS		  0x000d
#define INTEL_MPC_IRBNCE  (1u << 26)

static uint16_t get_u16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get_u32(const unsigned char *p)
{
	return get_u16(p) | (uint32_t)get_u16(p + 2) << 16;
}

/* The place of a capability, or 0. @each learns of all on the way. The list may be a circle. */
static size_t find_capability(const unsigned char *p, size_t n, uint8_t id,
			      void (*each)(void *arg, size_t at), void *arg)
{
	size_t at;

	if (!(p[STATUS] & STATUS_HAS_LIST))
		return 0;
	at = p[LIST_START] & ~3u;
	for (int i = 0; i < LIST_MAX && at >= HEADER_SIZE && at + 4 <= n; i++) {
		if (each)
			each(arg, at);
		if (p[at] == 0xff)
			return 0;
		if (p[at] == id)
			return at;
		at = p[at + 1] & ~3u;
	}
	return 0;
}

static size_t find_acs(const unsigned char *p, size_t n,
		       void (*each)(void *arg, size_t at), void *arg)
{
	size_t at = CONVENTIONAL_SIZE;

	for (size_t i = 0; i < n / 8 && at >= CONVENTIONAL_SIZE && at + 4 <= n; i++) {
		uint32_t head = get_u32(p + at);

		if (each)
			each(arg, at);
		if (head == 0 || head == UINT32_MAX)
			return 0;
		if ((head & 0xffff) == ID_ACS)
			return at + CONFIG_SPACE_ACS_SIZE <= n ? at : 0;
		at = head >> 20 & ~3u;
	}
	return 0;
}

bool config_space_read(struct text config, struct group_function *f)
{
	const unsigned char *p = (const unsigned char *)config.p;
	size_t n = MIN(config.n, (size_t)CONFIG_SPACE_SIZE), at;

	f->is_unknown = true;
	if (n < HEADER_SIZE || get_u16(p) != f->ids.vendor ||
	    get_u16(p + 2) != f->ids.device)
		return false;
	f->is_bridge = (p[HEADER_TYPE] & 0x7f) == TYPE_BRIDGE;
	f->is_multifunction |= (p[HEADER_TYPE] & MULTIFUNCTION) != 0;
	f->secondary = f->is_bridge ? p[SECONDARY_BUS] : 0;
	f->type = PCIE_NONE;
	f->has_acs = f->has_slot = f->has_bus_check = false;
	/* Without a list of capabilities it is conventional: the rest need not be read. */
	if (n < CONVENTIONAL_SIZE && (p[STATUS] & STATUS_HAS_LIST))
		return false;
	f->is_unknown = false;
	at = find_capability(p, n, ID_PCIE, NULL, NULL);
	if (at == 0)
		return true;
	f->type = get_u16(p + at + PCIE_FLAGS) >> 4 & 0xf;
	f->has_slot = get_u16(p + at + PCIE_FLAGS) & PCIE_HAS_SLOT;
	f->has_bus_check = get_u32(p + CONFIG_SPACE_INTEL_MPC) & INTEL_MPC_IRBNCE;
	at = find_acs(p, n, NULL, NULL);
	if (at == 0)
		return true;
	f->has_acs = true;
	f->acs_cap = get_u16(p + at + 4);
	f->acs_ctl = get_u16(p + at + 6);
	f->acs_ctl_high = get_u16(p + at + 8);
	return true;
}

struct kept {
	unsigned char bytes[CONFIG_SPACE_SIZE];
	const unsigned char *from;
	size_t end;
};

static void keep(struct kept *kept, size_t at, size_t n)
{
	memcpy(kept->bytes + at, kept->from + at, n);
	kept->end = MAX(kept->end, at + n);
}

static void keep_head(void *arg, size_t at)
{
	keep(arg, at, 4);
}

size_t config_space_strip(unsigned char *p, size_t n)
{
	struct kept kept = {.from = p};
	size_t at;

	n = MIN(n, (size_t)CONFIG_SPACE_SIZE);
	if (n < CONVENTIONAL_SIZE)
		return MIN(n, (size_t)HEADER_SIZE);
	keep(&kept, 0, HEADER_SIZE);
	/* The length says that this much was there. */
	kept.end = CONVENTIONAL_SIZE;
	at = find_capability(p, n, ID_PCIE, keep_head, &kept);
	if (at != 0) {
		keep(&kept, CONFIG_SPACE_INTEL_MPC, 4);
		at = find_acs(p, n, keep_head, &kept);
	}
	if (at != 0)
		keep(&kept, at, CONFIG_SPACE_ACS_SIZE);
	memcpy(p, kept.bytes, kept.end);
	return kept.end;
}

/* ---- what is read of which function ----------------------------------------------------- */

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

/*
 * The kernel gives the file 4096 bytes if something answered there at boot (drivers/pci/probe.c:
 * pci_cfg_space_size_ext()). A device without extended capabilities has 0 there.
 */
static enum unread extended_answers(struct text config, const struct group_function *f,
				    struct group_facts *facts)
{
	uint32_t head;
	bool is_empty;

	if (f->type == PCIE_NONE || config.n < CONVENTIONAL_SIZE + 4)
		return UNREAD_NOTHING;
	head = get_u32((const unsigned char *)config.p + CONVENTIONAL_SIZE);
	is_empty = head == 0 || head == UINT32_MAX;
	facts->has_extended |= !is_empty;
	return is_empty ? UNREAD_SILENT : UNREAD_NOTHING;
}

static enum unread read_config(struct world *world, struct group_facts *facts,
			       struct group_function *f)
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
		return extended_answers(t, f, facts);
	return t.n == 64 ? UNREAD_SHORT : UNREAD_MISSING;
}

/* Virtual functions count as single ones (drivers/pci/iov.c: pci_iov_add_virtfn()). */
static enum unread learn(struct world *world, struct group_facts *facts, size_t at)
{
	const struct pci_device *d = &facts->inventory->devices[at];
	struct group_function *f = &facts->functions[at];
	struct bdf pf;
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
	if (!d->is_bridge && inventory_read_pf(world, d->bdf, &pf) == 0)
		return UNREAD_NOTHING;
	/* All above function 0 are (drivers/pci/probe.c: pci_scan_slot()). */
	f->is_multifunction = d->bdf.function > 0;
	r = read_config(world, facts, f);
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
	for (size_t i = 0; i < inventory->count; i++) {
		if (ret->unread[i] != UNREAD_SILENT)
			continue;
		if (ret->has_extended)
			ret->unread[i] = UNREAD_NOTHING;
		else
			ret->functions[i].is_unknown = true;
	}
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
	case UNREAD_SILENT:
		return arena_printf(
			arena,
			"%s, like that of every device, has nothing from byte 256 on, "
			"as after a suspend with some firmware: restart, and run "
			"this again",
			what);
	case UNREAD_SHORT:
		return arena_printf(arena, "only root can read %s: run this as root",
				    what);
	case UNREAD_MISSING:
	case UNREAD_NOTHING:
		break;
	}
	return arena_printf(arena, "%s cannot be read here", what);
}
