/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "predict.h"

#include <errno.h>

/* ---- what the kernel knows of single devices ---------------------------------------------- */

enum acs_quirk {
	QUIRK_ALWAYS, /* isolates, by its maker's word */
	QUIRK_NEVER,
	QUIRK_ROOT_PORT, /* isolates if it is one */
	QUIRK_PORT, /* a root or downstream port */
	QUIRK_PORT_NEVER,
	QUIRK_RC_ENDPOINT,
	QUIRK_AMD_SOUTHBRIDGE,
	QUIRK_INTEL_PCH, /* root ports with registers of their own */
	QUIRK_INTEL_SPT, /* root ports with the control register at another place */
};

static const struct {
	enum acs_quirk kind;
	uint16_t vendor, first, last;
} acs_quirks[] = {
#define QUIRKS_VERSION(version)
#define DMA_ALIAS(kind, vendor, device, subvendor, subdevice, first, count)
#define ACS_QUIRK(kind, vendor, first, last) {QUIRK_##kind, vendor, first, last},
#include "quirks.def"
#undef ACS_QUIRK
#undef DMA_ALIAS
};

enum dma_alias {
	ALIAS_FUNCTION, /* a function of the same slot */
	ALIAS_DEVFN, /* these on its bus */
	ALIAS_EACH_SLOT, /* these functions in each slot of its bus */
	ALIAS_STOP, /* a bridge with the IOMMU behind it: no alias is looked for above */
};

static const struct {
	enum dma_alias kind;
	uint16_t vendor, device, subvendor, subdevice;
	uint8_t first;
	uint16_t count;
} dma_aliases[] = {
#define ACS_QUIRK(kind, vendor, first, last)
#define DMA_ALIAS(kind, vendor, device, subvendor, subdevice, first, count) \
	{ALIAS_##kind, vendor, device, subvendor, subdevice, first, count},
#include "quirks.def"
#undef ACS_QUIRK
#undef DMA_ALIAS
#undef QUIRKS_VERSION
};

const char *predict_version(void)
{
#define QUIRKS_VERSION(version) return version;
#define ACS_QUIRK(kind, vendor, first, last)
#define DMA_ALIAS(kind, vendor, device, subvendor, subdevice, first, count)
#include "quirks.def"
}

static bool is_port(const struct group_function *f)
{
	return f->type == PCIE_ROOT_PORT || f->type == PCIE_DOWNSTREAM;
}

static bool has_bits(uint16_t needed, uint16_t enabled)
{
	return (needed & enabled) == needed;
}

/* 1 or 0 if the quirk decides; -1 if it does not. */
static int ask_quirk(const struct prediction *p, const struct group_function *f,
		     enum acs_quirk kind)
{
	switch (kind) {
	case QUIRK_ALWAYS:
		return 1;
	case QUIRK_NEVER:
		return 0;
	case QUIRK_ROOT_PORT:
		return f->type == PCIE_ROOT_PORT ? 1 : -1;
	case QUIRK_PORT:
		return is_port(f) ? 1 : -1;
	case QUIRK_PORT_NEVER:
		return is_port(f) ? 0 : -1;
	case QUIRK_RC_ENDPOINT:
		return f->type == PCIE_RC_ENDPOINT ? 1 : -1;
	case QUIRK_AMD_SOUTHBRIDGE:
		return p->has_amd_iommu && f->is_multifunction && f->above == NO_FUNCTION
			       ? 1
			       : -1;
	case QUIRK_INTEL_PCH:
		return f->type == PCIE_ROOT_PORT ? f->has_bus_check : -1;
	case QUIRK_INTEL_SPT:
		return f->type == PCIE_ROOT_PORT && f->has_acs
			       ? has_bits(ACS_NEEDED & f->acs_cap, f->acs_ctl_high)
			       : -1;
	}
	return -1;
}

static int ask_quirks(const struct prediction *p, const struct group_function *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(acs_quirks); i++) {
		int r;

		if (acs_quirks[i].vendor != f->ids.vendor ||
		    f->ids.device < acs_quirks[i].first ||
		    f->ids.device > acs_quirks[i].last)
			continue;
		r = ask_quirk(p, f, acs_quirks[i].kind);
		if (r >= 0)
			return r;
	}
	return -1;
}

/* What the capability does not offer is wired on (pci_acs_flags_enabled()). */
static bool has_acs_enabled(const struct group_function *f)
{
	return f->has_acs && has_bits(ACS_NEEDED & f->acs_cap, f->acs_ctl);
}

bool predict_isolates(const struct prediction *p, size_t at)
{
	const struct group_function *f = &p->functions[at];
	int r;

	if (f->is_unknown)
		return p->is_optimistic;
	r = ask_quirks(p, f);
	if (r >= 0)
		return r > 0;
	switch (f->type) {
	case PCIE_NONE:
	case PCI_TO_PCIE:
	case PCIE_TO_PCI:
	case PCIE_RC_EVENTS:
		return false;
	case PCIE_ROOT_PORT:
	case PCIE_DOWNSTREAM:
		return has_acs_enabled(f);
	case PCIE_ENDPOINT:
	case PCIE_LEGACY_ENDPOINT:
	case PCIE_UPSTREAM:
	case PCIE_RC_ENDPOINT:
		return !f->is_multifunction || has_acs_enabled(f);
	}
	return true;
}

bool predict_has_own_registers(const struct group_function *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(acs_quirks); i++)
		if (acs_quirks[i].kind == QUIRK_INTEL_SPT && f->type == PCIE_ROOT_PORT &&
		    acs_quirks[i].vendor == f->ids.vendor &&
		    f->ids.device >= acs_quirks[i].first &&
		    f->ids.device <= acs_quirks[i].last)
			return true;
	return false;
}

uint16_t predict_disabled(const struct group_function *f)
{
	uint16_t enabled = predict_has_own_registers(f) ? f->acs_ctl_high : f->acs_ctl;

	return f->has_acs ? ACS_NEEDED & f->acs_cap & ~enabled : 0;
}

/* ---- DMA aliases -------------------------------------------------------------------------- */

static uint8_t devfn(struct bdf bdf)
{
	return (uint8_t)(bdf.device << 3 | bdf.function);
}

static bool is_same_bus(const struct group_function *a, const struct group_function *b)
{
	return a->bdf.domain == b->bdf.domain && a->bdf.bus == b->bdf.bus;
}

/* Whether @f does DMA with the ID of @other as well. */
static bool has_alias(const struct group_function *f, const struct group_function *other)
{
	for (size_t i = 0; i < ARRAY_SIZE(dma_aliases); i++) {
		unsigned at = devfn(other->bdf), first = dma_aliases[i].first;

		if (dma_aliases[i].vendor != f->ids.vendor ||
		    dma_aliases[i].device != f->ids.device ||
		    (dma_aliases[i].subvendor != 0xffff &&
		     (dma_aliases[i].subvendor != f->ids.subvendor ||
		      dma_aliases[i].subdevice != f->ids.subdevice)))
			continue;
		switch (dma_aliases[i].kind) {
		case ALIAS_FUNCTION:
			first |= (unsigned)f->bdf.device << 3;
			break;
		case ALIAS_DEVFN:
			break;
		case ALIAS_EACH_SLOT:
			at &= 7;
			break;
		case ALIAS_STOP:
			continue;
		}
		if (at >= first && at < first + dma_aliases[i].count)
			return true;
	}
	return false;
}

static bool has_any_alias(const struct group_function *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(dma_aliases); i++)
		if (dma_aliases[i].vendor == f->ids.vendor &&
		    dma_aliases[i].device == f->ids.device)
			return true;
	return false;
}

static bool has_iommu_behind(const struct group_function *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(dma_aliases); i++)
		if (dma_aliases[i].kind == ALIAS_STOP &&
		    dma_aliases[i].vendor == f->ids.vendor &&
		    dma_aliases[i].device == f->ids.device)
			return true;
	return false;
}

/* The bridge above, which comes before it. */
static size_t above(const struct prediction *p, size_t at)
{
	return p->functions[at].above < at ? p->functions[at].above : NO_FUNCTION;
}

/* The bridge whose ID the DMA of what is behind it has, or NO_FUNCTION. */
static size_t find_bus_bridge(const struct prediction *p, size_t at)
{
	for (size_t i = above(p, at); i != NO_FUNCTION; i = above(p, i)) {
		const struct group_function *f = &p->functions[i];

		if (has_iommu_behind(f))
			return NO_FUNCTION;
		if (f->is_unknown)
			continue;
		if (f->type == PCIE_NONE || f->type == PCIE_TO_PCI ||
		    f->type == PCI_TO_PCIE)
			return i;
	}
	return NO_FUNCTION;
}

/* ---- groups ------------------------------------------------------------------------------- */

static void join(struct prediction *p, size_t at, enum merge why, size_t with, size_t by)
{
	p->links[at] = (struct group_link){
		.group = p->links[with].group, .why = why, .with = with, .by = by};
}

/* Joins it to an earlier one on its bus that has its ID for DMA, or whose ID it has. */
static bool join_alias(struct prediction *p, size_t at)
{
	const struct group_function *f = p->functions;

	for (size_t i = at; i-- > 0 && is_same_bus(&f[i], &f[at]);)
		if ((p->has_aliases[at] && has_alias(&f[at], &f[i])) ||
		    (p->has_aliases[i] && has_alias(&f[i], &f[at]))) {
			join(p, at, MERGE_ALIAS, i, i);
			return true;
		}
	return false;
}

/* Joins it to another function of its slot that does not isolate either. */
static void join_function(struct prediction *p, size_t at)
{
	const struct group_function *f = p->functions;

	if (!f[at].is_multifunction || predict_isolates(p, at))
		return;
	for (size_t i = at; i-- > 0 && bdf_is_same_slot(f[i].bdf, f[at].bdf);)
		if (!predict_isolates(p, i)) {
			join(p, at, MERGE_FUNCTIONS, i, i);
			return;
		}
}

static void place(struct prediction *p, size_t at)
{
	const struct group_function *f = &p->functions[at];
	size_t bridge, port = above(p, at);

	if (f->dma_as < at) {
		join(p, at, MERGE_VMD, f->dma_as, f->dma_as);
		return;
	}
	bridge = find_bus_bridge(p, at);
	if (bridge < at) {
		join(p, at, MERGE_BUS, bridge, bridge);
		return;
	}
	if (port != NO_FUNCTION && p->blockers[port] != NO_FUNCTION) {
		join(p, at, MERGE_PORT, port, p->blockers[port]);
		return;
	}
	if (!join_alias(p, at))
		join_function(p, at);
}

int predict_groups(struct prediction *p, struct arena *arena)
{
	p->links = arena_alloc(arena, p->count, sizeof(*p->links));
	p->blockers = arena_alloc(arena, p->count, sizeof(*p->blockers));
	p->has_aliases = arena_alloc(arena, p->count, sizeof(*p->has_aliases));
	if (!p->links || !p->blockers || !p->has_aliases)
		return -ENOMEM;
	for (size_t i = 0; i < p->count; i++) {
		size_t port = above(p, i);

		p->has_aliases[i] = has_any_alias(&p->functions[i]);
		p->blockers[i] = !predict_isolates(p, i) ? i
				 : port != NO_FUNCTION	 ? p->blockers[port]
							 : NO_FUNCTION;
		p->links[i] = (struct group_link){
			.group = i, .why = MERGE_NOTHING, .with = i, .by = i};
		place(p, i);
	}
	return 0;
}

bool predict_splits_below(const struct prediction *p, size_t bridge)
{
	const struct group_function *f = &p->functions[bridge];

	return !f->is_unknown && f->dma_as == NO_FUNCTION &&
	       p->blockers[bridge] == NO_FUNCTION &&
	       find_bus_bridge(p, bridge) == NO_FUNCTION;
}

static size_t add_link(const struct group_link *link, const struct group_link *ret[],
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ret[i]->why == link->why && ret[i]->by == link->by)
			return count;
	if (count < GROUP_LINKS_MAX)
		ret[count++] = link;
	return count;
}

size_t predict_between(const struct prediction *p, size_t a, size_t b,
		       const struct group_link *ret[static GROUP_LINKS_MAX])
{
	size_t count = 0;

	if (p->links[a].group != p->links[b].group)
		return 0;
	/* Both go to smaller ones until they meet. */
	while (a != b) {
		size_t *later = a > b ? &a : &b;

		count = add_link(&p->links[*later], ret, count);
		*later = p->links[*later].with;
	}
	return count;
}
