/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "accel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The lists of mk/accel.awk, each taken from the same file. */
#define ACCEL_ANY	 0xffff
#define ACCEL_BIT(leaf)	 (UINT64_C(1) << (leaf))
#define ACCEL_GROUP(...) /* here and below: but for one at a time */
#define ACCEL_LEAF(...)
#define ACCEL_SUB(...)
#define ACCEL_VENDOR(...)
#define ACCEL_ENTRY(...)

/* In order; "" is the last one. */
static const char group_names[] =
#undef ACCEL_GROUP
#define ACCEL_GROUP(name, leaves, description) name "\0"
#include "accel.inc"
	;

static const uint64_t group_leaves[] = {
#undef ACCEL_GROUP
#define ACCEL_GROUP(name, leaves, description) leaves,
#include "accel.inc"
};
#undef ACCEL_GROUP
#define ACCEL_GROUP(...)

/* @class counts for the entries that name no device: base class and subclass. */
static const struct {
	uint16_t class;
	uint8_t role;
} leaves[] = {
#undef ACCEL_LEAF
#define ACCEL_LEAF(family, role, class) {class, role},
#include "accel.inc"
#undef ACCEL_LEAF
#define ACCEL_LEAF(...)
};

static const struct {
	uint16_t vendor;
	uint16_t device;
} subsystems[] = {
#undef ACCEL_SUB
#define ACCEL_SUB(vendor, device) {vendor, device},
#include "accel.inc"
#undef ACCEL_SUB
#define ACCEL_SUB(...)
};

/* In order of the devices; those that name none are the last of their vendor. */
static const struct {
	uint16_t device;
	uint8_t subsystem;
	uint8_t leaf;
} entries[] = {
#undef ACCEL_ENTRY
#define ACCEL_ENTRY(device, subsystem, leaf, name) {device, subsystem, leaf},
#include "accel.inc"
#undef ACCEL_ENTRY
#define ACCEL_ENTRY(...)
};

/* Where the entries of a vendor start. In order; behind the last is an end. */
static const struct {
	uint16_t vendor;
	uint16_t first;
} vendors[] = {
#undef ACCEL_VENDOR
#define ACCEL_VENDOR(vendor, first) {vendor, first},
#include "accel.inc"
	{ACCEL_ANY, ARRAY_SIZE(entries)},
};

/* Whether an entry whose vendor and device fit is of this function. */
static bool has_entry(size_t entry, const struct pci_ids *ids)
{
	uint16_t subvendor = subsystems[entries[entry].subsystem].vendor;
	uint16_t subdevice = subsystems[entries[entry].subsystem].device;
	uint16_t class = leaves[entries[entry].leaf].class;

	return (subvendor == ACCEL_ANY || subvendor == ids->subvendor) &&
	       (subdevice == ACCEL_ANY || subdevice == ids->subdevice) &&
	       (class == 0 || class == ids->class >> 8);
}

/* The first entry in [@at, @end) of @device or a higher one. */
static size_t search(size_t at, size_t end, uint16_t device)
{
	while (at < end) {
		size_t middle = (at + end) / 2;

		if (entries[middle].device < device)
			at = middle + 1;
		else
			end = middle;
	}
	return at;
}

struct found {
	struct pci_ids ids;
	uint64_t leaves;
	int entry; /* the first one; -ENOENT where there is none */
};

static void look_up(struct found *f)
{
	const uint16_t devices[] = {f->ids.device, ACCEL_ANY};
	size_t v = 0, end;

	while (vendors[v].vendor < f->ids.vendor)
		v++;
	if (vendors[v].vendor != f->ids.vendor || f->ids.vendor == ACCEL_ANY)
		return;
	end = vendors[v + 1].first;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		size_t e = search(vendors[v].first, end, devices[i]);

		for (; e < end && entries[e].device == devices[i]; e++) {
			if (!has_entry(e, &f->ids))
				continue;
			if (!f->leaves)
				f->entry = (int)e;
			f->leaves |= ACCEL_BIT(entries[e].leaf);
		}
	}
}

/* What is asked of one function a hundred times, by as many rules, is looked up once. */
static const struct found *find(const struct pci_ids *ids)
{
	static struct found last = {.entry = -ENOENT};

	if (ids->vendor != last.ids.vendor || ids->device != last.ids.device ||
	    ids->subvendor != last.ids.subvendor ||
	    ids->subdevice != last.ids.subdevice || ids->class != last.ids.class) {
		last = (struct found){.ids = *ids, .entry = -ENOENT};
		look_up(&last);
	}
	return &last;
}

enum accel_role accel_role(const struct pci_ids *ids)
{
	int entry = accel_find(ids);

	return entry < 0 ? ACCEL_UNKNOWN : leaves[entries[entry].leaf].role;
}

const char *accel_role_name(enum accel_role role)
{
	switch (role) {
	case ACCEL_UNKNOWN:
		return "";
	case ACCEL_USER:
		return "user";
	case ACCEL_NPU:
		return "npu";
	case ACCEL_GPU:
		return "gpu";
	case ACCEL_VPU:
		return "vpu";
	case ACCEL_FPGA:
		return "fpga";
	case ACCEL_CRYPTO:
		return "crypto";
	case ACCEL_SWITCH:
		return "switch";
	case ACCEL_MGMT:
		return "mgmt";
	case ACCEL_GOLDEN:
		return "golden";
	case ACCEL_VF:
		return "vf";
	case ACCEL_DENY:
		return "deny";
	case ACCEL_GPU_CLASS:
		return "gpu-class";
	}
	return "";
}

int accel_find(const struct pci_ids *ids)
{
	return find(ids)->entry;
}

const char *accel_group_name(unsigned group)
{
	const char *name = group_names;

	while (group-- > 0 && name[0] != '\0')
		name += strlen(name) + 1;
	return name;
}

int accel_group_parse(struct text t, unsigned *ret)
{
	const char *name = group_names;

	for (unsigned i = 0; name[0] != '\0'; i++, name += strlen(name) + 1)
		if (text_is(t, name)) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

bool accel_group_has(unsigned group, const struct pci_ids *ids)
{
	return group < ARRAY_SIZE(group_leaves) &&
	       (group_leaves[group] & find(ids)->leaves) != 0;
}

bool accel_group_vendor(unsigned group, size_t *at, uint16_t *ret)
{
	while (group < ARRAY_SIZE(group_leaves) && *at < ARRAY_SIZE(vendors) - 1) {
		size_t e = vendors[*at].first, end = vendors[++*at].first;

		for (; e < end; e++)
			if (group_leaves[group] & ACCEL_BIT(entries[e].leaf)) {
				*ret = vendors[*at - 1].vendor;
				return true;
			}
	}
	return false;
}

bool accel_group_next(unsigned group, size_t *at, struct accel_card *ret)
{
	while (group < ARRAY_SIZE(group_leaves) && *at < ARRAY_SIZE(entries)) {
		size_t e = (*at)++, v = 0;
		bool has_device = entries[e].device != ACCEL_ANY;

		if (!(group_leaves[group] & ACCEL_BIT(entries[e].leaf)))
			continue;
		while (vendors[v + 1].first <= e)
			v++;
		*ret = (struct accel_card){
			.vendor = vendors[v].vendor,
			.device = entries[e].device,
			.class = has_device ? 0 : leaves[entries[e].leaf].class,
			.has_device = has_device,
		};
		return true;
	}
	return false;
}

#define GROUP_NAME_MAX 20 /* mk/accel.awk lets no longer one pass */

/* How many letters must be added, taken away or changed. */
static unsigned distance(struct text t, const char *name)
{
	uint8_t row[GROUP_NAME_MAX + 1];
	size_t n = strlen(name);

	for (size_t i = 0; i <= n; i++)
		row[i] = (uint8_t)i;
	for (size_t k = 0; k < t.n; k++) {
		unsigned diagonal = row[0];

		row[0] = (uint8_t)(k + 1);
		for (size_t i = 1; i <= n; i++) {
			unsigned best = diagonal + (t.p[k] != name[i - 1]);

			diagonal = row[i];
			best = MIN(best, row[i] + 1U);
			row[i] = (uint8_t)MIN(best, row[i - 1] + 1U);
		}
	}
	return row[n];
}

static unsigned find_nearest(struct text t)
{
	unsigned nearest = 0, least = UINT32_MAX;
	const char *name = group_names;

	t.n = MIN(t.n, (size_t)GROUP_NAME_MAX);
	for (unsigned i = 0; name[0] != '\0'; i++, name += strlen(name) + 1) {
		/* "nvidia" is nearer to "nvidia-3d" than to "quadra". */
		unsigned d =
			t.n > 2 && strncmp(name, t.p, t.n) == 0 ? 0 : distance(t, name);

		if (d < least) {
			least = d;
			nearest = i;
		}
	}
	return nearest;
}

const char *accel_unknown(struct text t)
{
	/* One for each group, always the same: who keeps one keeps it for ever. */
	static char sentences[ARRAY_SIZE(group_leaves)][96];
	unsigned nearest = find_nearest(t);

	snprintf(
		sentences[nearest], sizeof(sentences[nearest]),
		"no such group: the nearest is %s; \"earlybind list --accel=all\" has all",
		accel_group_name(nearest));
	return sentences[nearest];
}
