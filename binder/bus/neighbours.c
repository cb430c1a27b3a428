/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "neighbours.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define GROUPS SYSFS_IOMMU_GROUPS

/* Functions of one device: drivers/pci/probe.c: pci_scan_slot() */
#define FUNCTIONS_OF_SLOT 8

static int compare_devices(const void *a, const void *b)
{
	return bdf_compare(((const struct pci_device *)a)->bdf,
			   ((const struct pci_device *)b)->bdf);
}

static void sort(struct inventory *inv)
{
	if (inv->count > 0)
		qsort(inv->devices, inv->count, sizeof(*inv->devices), compare_devices);
}

/* The first @sorted devices are in order. */
static struct pci_device *find(const struct inventory *inv, size_t sorted, struct bdf bdf)
{
	const struct pci_device key = {.bdf = bdf};
	struct pci_device *d =
		bsearch(&key, inv->devices, sorted, sizeof(key), compare_devices);

	for (size_t i = sorted; i < inv->count && !d; i++)
		if (bdf_compare(inv->devices[i].bdf, bdf) == 0)
			d = &inv->devices[i];
	return d;
}

struct pci_device *inventory_find(const struct inventory *inventory, struct bdf bdf)
{
	return find(inventory, inventory->count, bdf);
}

/*
 * A look at function 0, for the sake of another one, may be what did not come back. Whether
 * there is one of its functions that was not left alone before.
 */
static bool leave_alone(struct inventory *inv, size_t sorted, struct bdf bdf)
{
	bool is_any = false;

	for (bdf.function = 0; bdf.function < FUNCTIONS_OF_SLOT; bdf.function++) {
		struct pci_device *d = find(inv, sorted, bdf);

		if (d && !d->is_unread)
			is_any = d->is_unread = true;
	}
	return is_any;
}

bool inventory_examine(struct fact_reader *facts, struct inventory *inv, size_t sorted,
		       struct pci_device *d)
{
	int r, wanted = facts->filter ? facts_learn(facts, d) : (int)FACT_WANTED;
	unsigned answer = wanted < 0 ? 0 : (unsigned)wanted;

	d->is_interesting = answer & FACT_WANTED;
	d->brings = answer & (FACT_WITH_FUNCTIONS | FACT_WITH_GROUP);
	if (wanted < 0)
		d->is_unread = true;
	if ((wanted < 0 || facts->has_hung) && leave_alone(inv, sorted, d->bdf) &&
	    wanted >= 0)
		inventory_count_unread(inv, -ETIMEDOUT);
	if (wanted == 0 && !pci_is_display(&d->ids))
		return false;
	r = inventory_read_rest(facts->world, d);
	inventory_count_unread(inv, MIN(r, wanted));
	return r == 0;
}

struct search {
	struct fact_reader *facts;
	struct inventory *inv;
	struct listing *scratch;
	size_t sorted;
};

static void add_companion(struct search *s, struct bdf bdf)
{
	struct inventory *inv = s->inv;
	struct pci_device *d = find(inv, s->sorted, bdf);
	bool is_new = !d;
	int r;

	if (is_new) {
		if (inv->count == s->scratch->max)
			return;
		d = &inv->devices[inv->count];
		*d = (struct pci_device){.bdf = bdf};
		r = inventory_read_ids(s->facts->world, bdf, &d->ids);
		if (r < 0) {
			/* A card need not have all functions. */
			inventory_count_unread(inv, r);
			return;
		}
	}
	if (d->is_companion || d->is_unread || d->is_bridge ||
	    pci_is_bridge_class(&d->ids))
		return;
	d->is_companion = true;
	if (!inventory_examine(s->facts, inv, s->sorted, d))
		d->is_unread = !is_new;
	else
		inv->count += is_new;
}

static int list_group(struct world *world, int group, struct listing *members)
{
	char path[JOB_PATH_SIZE];

	snprintf(path, sizeof(path), GROUPS "/%d/devices", group);
	return inventory_list(world, path, members);
}

void companions_add(struct fact_reader *facts, struct inventory *inv,
		    struct listing *scratch)
{
	struct search s = {facts, inv, scratch, inv->count};

	for (size_t i = 0; i < s.sorted; i++) {
		const struct pci_device *d = &inv->devices[i];

		/* One that is a companion is so of its own group: that has been listed. */
		if (!(d->brings & FACT_WITH_GROUP) || d->is_bridge || d->is_companion ||
		    d->iommu_group == NO_GROUP)
			continue;
		inventory_count_unread(inv,
				       list_group(facts->world, d->iommu_group, scratch));
		for (size_t k = 0; k < scratch->count; k++)
			add_companion(&s, scratch->bdfs[k]);
	}
	for (size_t i = 0; i < s.sorted; i++) {
		struct bdf bdf = inv->devices[i].bdf;

		if (!(inv->devices[i].brings & FACT_WITH_FUNCTIONS) ||
		    inv->devices[i].is_bridge)
			continue;
		for (bdf.function = 0; bdf.function < FUNCTIONS_OF_SLOT; bdf.function++)
			add_companion(&s, bdf);
	}
	if (inv->count > s.sorted)
		sort(inv);
}

struct leader_search {
	struct fact_reader *facts;
	unsigned brings; /* of FACT_WITH_* */
	bool is_found;
};

static void see_leader(struct leader_search *s, struct bdf bdf)
{
	struct pci_device d = {.bdf = bdf};
	int r = inventory_read_ids(s->facts->world, bdf, &d.ids);

	if (r == 0)
		r = facts_learn(s->facts, &d);
	/* Of one that cannot be read the whole reading will tell. */
	if (r < 0 ? r != -ENOENT : ((unsigned)r & s->brings) != 0)
		s->is_found = true;
}

static int see_member(void *arg, const char *name)
{
	struct leader_search *s = arg;
	struct bdf bdf;

	if (bdf_parse(text_of(name), &bdf) == 0)
		see_leader(s, bdf);
	return s->is_found;
}

bool companion_is_possible(struct fact_reader *facts, struct bdf bdf)
{
	struct leader_search s = {facts, FACT_WITH_FUNCTIONS, false};
	struct world *world = facts->world;
	struct bdf sibling = bdf;
	char path[JOB_PATH_SIZE];
	int group, r;

	for (sibling.function = 0; sibling.function < FUNCTIONS_OF_SLOT && !s.is_found;
	     sibling.function++)
		see_leader(&s, sibling);
	r = inventory_read_group(world, bdf, &group);
	if (r < 0 || s.is_found || group == NO_GROUP)
		return r < 0 || s.is_found;
	s.brings = FACT_WITH_GROUP;
	snprintf(path, sizeof(path), GROUPS "/%d/devices", group);
	r = world->ops->list(world, WORLD_SYS, path, see_member, &s);
	return r < 0 || s.is_found;
}

void neighbours_add(struct world *world, struct inventory *inv, struct listing *members)
{
	size_t sorted = inv->count;
	int last = NO_GROUP;

	/* With every function there already, no neighbour can be missing. */
	if (sorted == members->max)
		return;
	for (size_t i = 0; i < sorted; i++) {
		int group = inv->devices[i].iommu_group;

		/* Members of one group mostly follow each other: it is listed once. */
		if (!inv->devices[i].is_interesting || group == NO_GROUP || group == last)
			continue;
		last = group;
		inventory_count_unread(inv, list_group(world, group, members));
		for (size_t k = 0; k < members->count && inv->count < members->max; k++) {
			struct pci_device *d = &inv->devices[inv->count];
			int r;

			if (find(inv, sorted, members->bdfs[k]))
				continue;
			*d = (struct pci_device){.bdf = members->bdfs[k]};
			r = inventory_read_ids(world, d->bdf, &d->ids);
			if (r == 0)
				r = inventory_read_rest(world, d);
			inventory_count_unread(inv, r);
			inv->count += r == 0;
		}
	}
	if (inv->count > sorted)
		sort(inv);
}
